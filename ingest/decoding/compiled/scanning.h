/* JSON in lines, scanned without memory of its own.

   The text ends with a line end, and nothing here goes past one: it ends each loop, since no string, number or
   space has one in it. So no place in the text needs to be compared with its end. What is unusual (escapes, other
   white space than blanks, deep nesting, numbers that may be beyond a double) is not taken, however sound. */

#ifndef OVERFLY_SCANNING_H
#define OVERFLY_SCANNING_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000 /* one library for Python 3.11 and all that follow */
#include <Python.h>

#include <float.h>
#include <stdbool.h>
#include <stdint.h>

#if FLT_EVAL_METHOD != 0
#error "doubles must be rounded after each operation (on i386: -msse2 -mfpmath=sse)"
#endif

typedef const unsigned char *Place;

/* A string without escapes, without its quotes. */
typedef struct {
    Place start;
    int length;
} Text;

/* A number: its digits as an integer, times 10 to the power of `scale`; and where it was written. */
typedef struct {
    Place start, end;
    uint64_t digits;
    int scale;
    bool negative;
    bool whole; /* written without a fraction and an exponent */
    bool known; /* the digits are so few that `digits` holds them */
} Number;

static inline bool is_digit(unsigned char byte)
{
    return (unsigned char)(byte - '0') < 10;
}

static inline void pass_blanks(Place *at)
{
    while (**at == ' ')
        ++*at;
}

static inline bool pass(Place *at, unsigned char expected)
{
    return **at == expected && ++*at;
}

/* Each goes past what it takes; where it gives false the line is not usual, and `at` anywhere in it. */
bool scan_text(Place *at, Text *found);
bool scan_number(Place *at, Number *found);
bool scan_null(Place *at);
bool scan_any(Place *at, int levels);

/* The double next to a number; false if Python reads it otherwise, or has no memory for it, which is an exception. */
bool nearest_double(const Number *number, double *found);

#endif
