// Memory for the length of a call; it is asked whether there is any before it is used.
#pragma once

#include <stdlib.h>

#include "export.hpp"

template <typename T>
struct Scratch {
    T *const at;
    explicit Scratch(int64_t n) : at((T *)malloc((n > 0 ? n : 1) * sizeof(T))) {}
    ~Scratch() { free(at); }
    Scratch(const Scratch &) = delete;
    operator T *() const { return at; }
};
