/* A disk that fails at a chosen moment: loaded by LD_PRELOAD, it makes calls of the C library fail below a folder.

   FAILING_BELOW   the folder, as realpath gives it
   FAILING_STATE   a file of int64 that all processes share: calls counted, the first that fails, how many fail,
                   those that did; how many there were of each kind, in the order of ALL; what they fail with;
                   and which kinds fail, a bit each

   The kinds: w write, s sync, c create, m make a folder, l link and rename, r read, o open, u unlink.
   `faults/failing_calls.py` sets these. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int64_t *state;
static char below[PATH_MAX];
static size_t below_length;

enum { COUNTED, FIRST, NUMBER, FAILED, OF_KIND, ERRNO = 12, KINDS, WORDS };

__attribute__((constructor)) static void begin(void) {
    const char *place = getenv("FAILING_BELOW"), *file = getenv("FAILING_STATE");
    if (!place || !file) return;
    int (*real_open)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
    int handle = real_open(file, O_RDWR | O_CLOEXEC);
    if (handle < 0) return;
    void *found = mmap(NULL, WORDS * sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
    close(handle);
    if (found == MAP_FAILED) return;
    strncpy(below, place, sizeof below - 1);
    below_length = strlen(below);
    state = found;
}

static const char ALL[] = "wscmlrou";

static int fails(char kind) {
    int place = strchr(ALL, kind) - ALL;
    __sync_fetch_and_add(&state[OF_KIND + place], 1);
    if (!(state[KINDS] >> place & 1)) return 0;
    int64_t number = __sync_fetch_and_add(&state[COUNTED], 1);
    if (number < state[FIRST] || number - state[FIRST] >= state[NUMBER]) return 0;
    __sync_fetch_and_add(&state[FAILED], 1);
    errno = (int)state[ERRNO];
    return 1;
}

static int is_below(const char *path) {
    return strncmp(path, below, below_length) == 0 && (path[below_length] == '/' || path[below_length] == 0);
}

static int handle_fails(int handle, char kind) {
    char link[64], path[PATH_MAX];
    if (!state || handle < 3) return 0;
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = before;
    if (length <= 0) return 0;
    path[length] = 0;
    return is_below(path) && fails(kind);
}

static int path_fails(int folder, const char *path, char kind) {
    char whole[2 * PATH_MAX];
    if (!state || !path) return 0;
    if (path[0] == '/') return is_below(path) && fails(kind);
    int before = errno;
    char link[64], base[PATH_MAX];
    if (folder == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t length = readlink(link, base, sizeof base - 1);
    errno = before;
    if (length <= 0) return 0;
    base[length] = 0;
    snprintf(whole, sizeof whole, "%s/%s", base, path);
    return is_below(whole) && fails(kind);
}

static char kind_of(int flags) {
    if (flags & O_CREAT) return 'c';
    return (flags & O_ACCMODE) == O_RDONLY ? 'o' : 'c';
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

#define BY_HANDLE(type, name, kind, parameters, arguments) \
    type name parameters { REAL(name); return handle_fails(handle, kind) ? -1 : real arguments; }

BY_HANDLE(ssize_t, write, 'w', (int handle, const void *from, size_t n), (handle, from, n))
BY_HANDLE(ssize_t, pwrite, 'w', (int handle, const void *from, size_t n, off_t at), (handle, from, n, at))
BY_HANDLE(ssize_t, pwrite64, 'w', (int handle, const void *from, size_t n, off64_t at), (handle, from, n, at))
BY_HANDLE(ssize_t, writev, 'w', (int handle, const struct iovec *from, int n), (handle, from, n))
BY_HANDLE(ssize_t, pwritev, 'w', (int handle, const struct iovec *from, int n, off_t at), (handle, from, n, at))
BY_HANDLE(int, ftruncate, 'w', (int handle, off_t n), (handle, n))
BY_HANDLE(int, ftruncate64, 'w', (int handle, off64_t n), (handle, n))
BY_HANDLE(int, fsync, 's', (int handle), (handle))
BY_HANDLE(int, fdatasync, 's', (int handle), (handle))
BY_HANDLE(ssize_t, read, 'r', (int handle, void *to, size_t n), (handle, to, n))
BY_HANDLE(ssize_t, pread, 'r', (int handle, void *to, size_t n, off_t at), (handle, to, n, at))
BY_HANDLE(ssize_t, pread64, 'r', (int handle, void *to, size_t n, off64_t at), (handle, to, n, at))
BY_HANDLE(ssize_t, readv, 'r', (int handle, const struct iovec *to, int n), (handle, to, n))

ssize_t sendfile(int to, int from, off_t *at, size_t n) {
    REAL(sendfile);
    return handle_fails(to, 'w') ? -1 : real(to, from, at, n);
}
ssize_t sendfile64(int to, int from, off64_t *at, size_t n) {
    REAL(sendfile64);
    return handle_fails(to, 'w') ? -1 : real(to, from, at, n);
}
ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *to_at, size_t n, unsigned flags) {
    REAL(copy_file_range);
    return handle_fails(to, 'w') ? -1 : real(from, at, to, to_at, n, flags);
}
size_t fwrite(const void *from, size_t size, size_t n, FILE *stream) {
    REAL(fwrite);
    return handle_fails(fileno(stream), 'w') ? 0 : real(from, size, n, stream);
}

int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    return path_fails(AT_FDCWD, path, 'm') ? -1 : real(path, mode);
}
int mkdirat(int folder, const char *path, mode_t mode) {
    REAL(mkdirat);
    return path_fails(folder, path, 'm') ? -1 : real(folder, path, mode);
}
int link(const char *from, const char *to) {
    REAL(link);
    return path_fails(AT_FDCWD, to, 'l') ? -1 : real(from, to);
}
int linkat(int folder, const char *from, int other, const char *to, int flags) {
    REAL(linkat);
    return path_fails(other, to, 'l') ? -1 : real(folder, from, other, to, flags);
}
int symlink(const char *from, const char *to) {
    REAL(symlink);
    return path_fails(AT_FDCWD, to, 'l') ? -1 : real(from, to);
}
int rename(const char *from, const char *to) {
    REAL(rename);
    return path_fails(AT_FDCWD, to, 'l') ? -1 : real(from, to);
}
int renameat(int folder, const char *from, int other, const char *to) {
    REAL(renameat);
    return path_fails(other, to, 'l') ? -1 : real(folder, from, other, to);
}
int renameat2(int folder, const char *from, int other, const char *to, unsigned flags) {
    REAL(renameat2);
    return path_fails(other, to, 'l') ? -1 : real(folder, from, other, to, flags);
}
int unlink(const char *path) {
    REAL(unlink);
    return path_fails(AT_FDCWD, path, 'u') ? -1 : real(path);
}
int unlinkat(int folder, const char *path, int flags) {
    REAL(unlinkat);
    return path_fails(folder, path, 'u') ? -1 : real(folder, path, flags);
}
int rmdir(const char *path) {
    REAL(rmdir);
    return path_fails(AT_FDCWD, path, 'u') ? -1 : real(path);
}
int truncate(const char *path, off_t n) {
    REAL(truncate);
    return path_fails(AT_FDCWD, path, 'w') ? -1 : real(path, n);
}

#define OPENS(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = va_arg(rest, mode_t); \
        va_end(rest); \
        return path_fails(AT_FDCWD, path, kind_of(flags)) ? -1 : real(path, flags, mode); \
    }
OPENS(open)
OPENS(open64)

#define OPENS_AT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        REAL(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = va_arg(rest, mode_t); \
        va_end(rest); \
        return path_fails(folder, path, kind_of(flags)) ? -1 : real(folder, path, flags, mode); \
    }
OPENS_AT(openat)
OPENS_AT(openat64)

FILE *fopen(const char *path, const char *mode) {
    REAL(fopen);
    return path_fails(AT_FDCWD, path, mode[0] == 'r' && !strchr(mode, '+') ? 'o' : 'c') ? NULL : real(path, mode);
}
FILE *fopen64(const char *path, const char *mode) {
    REAL(fopen64);
    return path_fails(AT_FDCWD, path, mode[0] == 'r' && !strchr(mode, '+') ? 'o' : 'c') ? NULL : real(path, mode);
}
