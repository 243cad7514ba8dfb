// What every file of kernels begins with: how a function is seen from outside, and the names of types.
#pragma once

#include <math.h>
#include <stdint.h>

#if defined(_WIN32)
#define EXPORT extern "C" __declspec(dllexport)
#else
#define EXPORT extern "C" __attribute__((visibility("default")))
#endif
