#include "times.h"

static const char FORM[] = "0000-00-00T00:00:00";
enum { FORM_LENGTH = sizeof FORM - 1 };

/* The number in `count` digits. */
static int number_at(Place at, int count)
{
    int value = 0;
    for (int digit = 0; digit < count; digit++)
        value = 10 * value + (at[digit] - '0');
    return value;
}

static bool has_form(Place at)
{
    for (int byte = 0; byte < FORM_LENGTH; byte++)
        if (FORM[byte] == '0' ? !is_digit(at[byte]) : at[byte] != FORM[byte])
            return false;
    return true;
}

/* The milliseconds of what stands between the seconds and the end: nothing, or a point and digits, then Z. */
static bool scan_fraction(Place at, int length, int *milliseconds)
{
    *milliseconds = 0;
    if (at[length - 1] != 'Z')
        return false;
    if (length == 1)
        return true;
    if (at[0] != '.' || (length != 5 && length != 8)) /* milliseconds or microseconds */
        return false;
    for (int digit = 1; digit < length - 1; digit++)
        if (!is_digit(at[digit]))
            return false;
    *milliseconds = number_at(at + 1, 3);
    return true;
}

static int days_of_month(int year, int month)
{
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return DAYS[month - 1] + (month == 2 && leap);
}

/* Days from 1970-01-01: years begin in March, so that a leap day is the last of its year
   (https://howardhinnant.github.io/date_algorithms.html#days_from_civil). */
static int64_t days_since_epoch(int year, int month, int day)
{
    int64_t from_march = (month + 9) % 12, years = year - (month < 3);
    return 365 * years + years / 4 - years / 100 + years / 400 + (153 * from_march + 2) / 5 + day - 1 - 719468;
}

bool time_of_text(const Text *text, int64_t *time)
{
    Place at = text->start;
    int milliseconds;
    if (text->length <= FORM_LENGTH || !has_form(at) ||
        !scan_fraction(at + FORM_LENGTH, text->length - FORM_LENGTH, &milliseconds))
        return false;
    int year = number_at(at, 4), month = number_at(at + 5, 2), day = number_at(at + 8, 2);
    int hour = number_at(at + 11, 2), minute = number_at(at + 14, 2), second = number_at(at + 17, 2);
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month) || hour > 23 ||
        minute > 59 || second > 59)
        return false;
    int64_t seconds = ((days_since_epoch(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    *time = seconds * 1000 + milliseconds;
    return true;
}

/* As in timestamps.py. */
static const int64_t MILLISECONDS_FROM = 100000000000, LATEST = 253402300799999;

/* Up to so many digits are the shortest that stand for their double, so that cutting them is cutting it. */
enum { EXACT_DIGITS = 15 };
static const uint64_t EXACT = 1000000000000000;

bool time_of_number(const Number *number, int64_t *time)
{
    if (number->negative || !number->known || number->digits >= EXACT)
        return false;
    int64_t digits = (int64_t)number->digits;
    if (number->whole) {
        *time = digits < MILLISECONDS_FROM ? digits * 1000 : digits;
        return *time <= LATEST;
    }
    if (number->scale > 0 || number->scale < -EXACT_DIGITS)
        return false;
    int64_t power = 1;
    for (int scale = number->scale; scale < 0; scale++)
        power *= 10;
    if (digits / power >= MILLISECONDS_FROM)
        *time = digits / power;
    else if (power > 1000)
        *time = digits / (power / 1000);
    else
        *time = digits * (1000 / power);
    return *time <= LATEST;
}
