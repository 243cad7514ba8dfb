"""What the demo's page does when clicked: pictures in full size, commands copied. It reads well without."""

SCRIPT = """
for (const button of document.querySelectorAll('.command button')) {
  button.hidden = false;
  button.addEventListener('click', async () => {
    const pre = button.previousElementSibling;
    try { await navigator.clipboard.writeText(pre.textContent); }
    catch {
      getSelection().selectAllChildren(pre);
      document.execCommand('copy');
    }
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy'; }, 1500);
  });
}
const dialog = document.createElement('dialog'), large = new Image(), words = document.createElement('p');
dialog.append(large, words);
document.body.append(dialog);
dialog.addEventListener('click', () => dialog.close());
for (const link of document.querySelectorAll('.zoom')) {
  link.addEventListener('click', event => {
    const small = link.querySelector('img');
    if (event.ctrlKey || event.metaKey || event.shiftKey || !dialog.showModal) return;
    event.preventDefault();
    large.onerror = () => { large.onerror = null; large.src = small.src; };
    large.src = link.href || small.currentSrc;
    large.alt = words.textContent = small.alt;
    dialog.className = link.href ? '' : 'drawing';
    dialog.showModal();
  });
}
function unfold() {
  const fold = document.querySelector(location.hash || '#none')?.querySelector('details');
  if (fold) fold.open = true;
}
addEventListener('hashchange', unfold);
unfold();
"""
