/* The numbers of fixes: by device, then sample_time, with one free number before each device. */

#include "fixes.h"

#include <stdlib.h>
#include <string.h>

const char numbered_fixes_says[] =
    "numbered_fixes(device, sample_time, watermark)\n--\n\n"
    "Bytes of late (bool), number (int64), fix (int64), past (int64) and devices (int32), see evaluator.py.";

static const Expected EXPECTED[] = {{"device", 'i'}, {"sample_time", 'q'}, {"watermark", 'q'}};
enum { DEVICE, TIME, WATERMARK, COUNT };

enum { DIGIT = 11, VALUES = 1 << DIGIT };

/* Fixes by device, those of a device as they came: `order` is sorted, `other` has as much room. The answer is
   the one of the two that holds it. */
static int32_t *by_device(const int32_t *device, int32_t count, int32_t most, int32_t *order, int32_t *other)
{
    for (int32_t fix = 0; fix < count; fix++)
        order[fix] = fix;
    for (int shift = 0; shift < 31 && most >> shift; shift += DIGIT) {
        int32_t first[VALUES] = {0};
        for (int32_t fix = 0; fix < count; fix++)
            first[device[fix] >> shift & (VALUES - 1)]++;
        int32_t before = 0;
        for (int value = 0; value < VALUES; value++) {
            int32_t many = first[value];
            first[value] = before;
            before += many;
        }
        for (int32_t at = 0; at < count; at++)
            other[first[device[order[at]] >> shift & (VALUES - 1)]++] = order[at];
        int32_t *sorted = other;
        other = order;
        order = sorted;
    }
    return order;
}

/* Sorts the fixes of one device by time, those of one time as they came: runs of 1, 2, 4, ... are merged. */
static void sort_by_time(const int64_t *time, int32_t *order, int32_t count, int32_t *other)
{
    bool sorted = true;
    for (int32_t at = 1; at < count && sorted; at++)
        sorted = time[order[at - 1]] <= time[order[at]];
    if (sorted)
        return;
    for (int64_t width = 1; width < count; width *= 2) {
        for (int64_t start = 0; start < count; start += 2 * width) {
            int64_t middle = start + width < count ? start + width : count;
            int64_t end = middle + width < count ? middle + width : count;
            int64_t one = start, two = middle;
            for (int64_t at = start; at < end; at++)
                other[at] = two == end || (one < middle && time[order[one]] <= time[order[two]]) ? order[one++]
                                                                                               : order[two++];
        }
        memcpy(order, other, sizeof *order * (size_t)count);
    }
}

enum { LATE, NUMBER, FIX, PAST, DEVICES, GIVEN };

typedef struct {
    bool *late;
    int64_t *number, *fix, *past;
    int32_t *devices;
    int64_t numbers, places;
} Numbered;

/* Numbers the fixes of one device, which come by time, after those that are numbered. */
static void number(const int64_t *time, int64_t watermark, const int32_t *fixes, int32_t count, int32_t device,
                   Numbered *into)
{
    bool begun = false;
    for (int32_t at = 0; at < count; at++) {
        int32_t fix = fixes[at];
        if (time[fix] <= watermark || (at && time[fix] == time[fixes[at - 1]]))
            continue;
        if (!begun) {
            into->fix[into->numbers] = -1;
            into->past[into->places] = into->numbers++;
            into->devices[into->places++] = device;
            begun = true;
        }
        into->late[fix] = false;
        into->number[fix] = into->numbers;
        into->fix[into->numbers++] = fix;
    }
}

static void number_all(const Column *columns, int32_t most, int32_t *order, Numbered *into)
{
    const int32_t *device = columns[DEVICE].items;
    const int64_t *time = columns[TIME].items, *watermark = columns[WATERMARK].items;
    int32_t count = (int32_t)columns[DEVICE].length;
    memset(into->late, true, (size_t)count);
    memset(into->number, 0xFF, 8 * (size_t)count);
    int32_t *sorted = by_device(device, count, most, order, order + count);
    int32_t *other = sorted == order ? order + count : order;
    for (int32_t start = 0, end; start < count; start = end) {
        int32_t of = device[sorted[start]];
        for (end = start + 1; end < count && device[sorted[end]] == of;)
            end++;
        sort_by_time(time, sorted + start, end - start, other);
        number(time, watermark[of], sorted + start, end - start, of, into);
    }
    into->fix[into->numbers] = -1;
}

/* The greatest device, or -1 and an exception if one is none of the state's. */
static int32_t greatest_device(const Column *columns)
{
    const int32_t *device = columns[DEVICE].items;
    int32_t most = 0;
    for (int64_t at = 0; at < columns[DEVICE].length; at++) {
        if (device[at] < 0 || device[at] >= columns[WATERMARK].length) {
            PyErr_Format(PyExc_ValueError, "device %d at %lld: expected 0 to %lld", (int)device[at], (long long)at,
                         (long long)columns[WATERMARK].length - 1);
            return -1;
        }
        most = device[at] > most ? device[at] : most;
    }
    return most;
}

PyObject *numbered_fixes(PyObject *module, PyObject *const *objects, Py_ssize_t given)
{
    (void)module;
    Column columns[COUNT];
    PyObject *made[GIVEN] = {NULL}, *answer = NULL;
    int32_t *order = NULL, most;
    if (!open_columns(objects, given, EXPECTED, COUNT, columns))
        goto end;
    const int64_t count = columns[DEVICE].length;
    if (!has_length(&columns[TIME], &EXPECTED[TIME], count) || (most = greatest_device(columns)) < 0)
        goto end;
    if (count >= 1 << 30 || count > PY_SSIZE_T_MAX / 17) {
        PyErr_Format(PyExc_ValueError, "device: %lld items: expected less than 2**30", (long long)count);
        goto end;
    }
    if (!(order = malloc(sizeof *order * (2 * (size_t)count + 1)))) {
        PyErr_NoMemory();
        goto end;
    }
    const int64_t room[GIVEN] = {count, 8 * count, 8 * (2 * count + 1), 8 * count, 4 * count};
    if (!make_bytes(made, GIVEN, room))
        goto end;
    Numbered into = {
        (bool *)PyByteArray_AsString(made[LATE]),
        (int64_t *)PyByteArray_AsString(made[NUMBER]),
        (int64_t *)PyByteArray_AsString(made[FIX]),
        (int64_t *)PyByteArray_AsString(made[PAST]),
        (int32_t *)PyByteArray_AsString(made[DEVICES]),
        0,
        0,
    };
    Py_BEGIN_ALLOW_THREADS
    number_all(columns, most, order, &into);
    Py_END_ALLOW_THREADS
    const int64_t used[GIVEN] = {count, 8 * count, 8 * (into.numbers + 1), 8 * into.places, 4 * into.places};
    answer = given_out(made, GIVEN, used);
end:
    free(order);
    drop(made, GIVEN);
    close_columns(columns, COUNT);
    return answer;
}
