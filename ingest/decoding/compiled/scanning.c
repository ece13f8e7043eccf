#include "scanning.h"

enum { MOST_DIGITS = 200, DIGITS_HELD = 19 };

bool scan_text(Place *at, Text *found)
{
    if (!pass(at, '"'))
        return false;
    Place byte = *at;
    while (*byte >= ' ' && *byte != '"' && *byte != '\\')
        byte++;
    found->start = *at;
    found->length = (int)(byte - *at);
    *at = byte;
    return pass(at, '"');
}

/* Goes past digits, of which there must be some, and adds them. */
static bool scan_digits(Place *at, uint64_t *digits)
{
    Place start = *at;
    uint64_t value = *digits;
    for (; is_digit(**at); ++*at)
        value = 10 * value + (uint64_t)(**at - '0');
    *digits = value;
    return *at > start;
}

bool scan_number(Place *at, Number *found)
{
    found->start = *at;
    found->negative = pass(at, '-');
    found->digits = 0;
    found->scale = 0;
    Place first = *at;
    if (!pass(at, '0') && !scan_digits(at, &found->digits))
        return false;
    int64_t count = *at - first;
    if (pass(at, '.')) {
        Place fraction = *at;
        if (!scan_digits(at, &found->digits))
            return false;
        found->scale = -(int)(*at - fraction);
        count -= found->scale;
    }
    found->whole = !found->scale;
    if (**at == 'e' || **at == 'E') {
        ++*at;
        bool below = pass(at, '-');
        if (!below)
            pass(at, '+');
        Place start = *at;
        uint64_t power = 0;
        if (!scan_digits(at, &power) || *at - start > 2)
            return false;
        found->scale += below ? -(int)power : (int)power;
        found->whole = false;
    }
    found->end = *at;
    found->known = count <= DIGITS_HELD;
    return count <= MOST_DIGITS;
}

static bool scan_word(Place *at, const char *word)
{
    for (; *word; word++)
        if (!pass(at, (unsigned char)*word))
            return false;
    return true;
}

bool scan_null(Place *at)
{
    return scan_word(at, "null");
}

/* Past the items of an array, or the members of an object. */
static bool scan_items(Place *at, int levels, bool named, unsigned char end)
{
    pass_blanks(at);
    if (pass(at, end))
        return true;
    do {
        Text name;
        pass_blanks(at);
        if (named) {
            if (!scan_text(at, &name))
                return false;
            pass_blanks(at);
            if (!pass(at, ':'))
                return false;
            pass_blanks(at);
        }
        if (!scan_any(at, levels))
            return false;
        pass_blanks(at);
    } while (pass(at, ','));
    return pass(at, end);
}

bool scan_any(Place *at, int levels)
{
    Text text;
    Number number;
    switch (**at) {
    case '"':
        return scan_text(at, &text);
    case 't':
        return scan_word(at, "true");
    case 'f':
        return scan_word(at, "false");
    case 'n':
        return scan_null(at);
    case '{':
        return levels && pass(at, '{') && scan_items(at, levels - 1, true, '}');
    case '[':
        return levels && pass(at, '[') && scan_items(at, levels - 1, false, ']');
    default:
        return scan_number(at, &number);
    }
}

/* These, and integers up to 2**53, are doubles; so one multiplication or division is rounded once (Clinger, How to
   read floating point numbers accurately, https://doi.org/10.1145/93542.93557). */
static const double TENS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                              1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

bool nearest_double(const Number *number, double *found)
{
    if (number->known && number->digits <= (uint64_t)1 << 53 && number->scale >= -22 && number->scale <= 22) {
        double digits = (double)number->digits;
        double value = number->scale < 0 ? digits / TENS[-number->scale] : digits * TENS[number->scale];
        *found = number->negative ? -value : value;
        return true;
    }
    char *end = NULL;
    *found = PyOS_string_to_double((const char *)number->start, &end, NULL);
    return end == (const char *)number->end && !PyErr_Occurred();
}
