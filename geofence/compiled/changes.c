/* Changes at fixes: who came into what and went out of what, one device after the other. */

#include "fixes.h"

#include <stdlib.h>
#include <string.h>

const char changes_at_fixes_says[] =
    "changes_at_fixes(late, fix, past, devices, position, geofence, table, width, aside, first, key)\n--\n\n"
    "Bytes of number (int64), geofence (int32) and kind (int8) of changes; of the devices that have some (int32),\n"
    "and of what these are inside of afterwards: device and geofence (int32). `width` is an array of one.";

static const Expected EXPECTED[] = {
    {"late", 'b'}, /* as long as there are fixes; of the numbers of those that are not, see numbers.c: */
    {"fix", 'q'},
    {"past", 'q'},
    {"devices", 'i'},
    {"position", 'q'}, /* of pairs, ascending, */
    {"geofence", 'i'}, /* those of a position ascending too */
    {"table", 'i'},    /* a row of `width` a device, 0 where there is nothing */
    {"width", 'q'},
    {"aside", 'q'}, /* places of devices, ascending, of which more is kept: */
    {"first", 'q'}, /* `key` from first[i] up to first[i + 1] */
    {"key", 'i'},
};
enum { LATE, FIX, PAST, DEVICES, POSITION, GEOFENCE, TABLE, WIDTH, ASIDE, FIRST, KEY, COUNT };
enum { NUMBERS, GEOFENCES, KINDS, CHANGED, HOLDERS, HELD, GIVEN };
enum { EXIT, ENTER };
enum { AHEAD = 8 }; /* fixes whose pairs are asked for before they are needed */

/* Keys of geofences, ascending. */
typedef struct {
    const int32_t *keys;
    int64_t count;
} Inside;

typedef struct {
    Growing given[GIVEN];
    Growing past;      /* what a device was inside of before */
    Growing differing; /* what it left and entered at a fix */
    const char *wrong; /* what is not as it must be; NULL for want of memory */
} Found;

/* Those of `before` that `now` has not, and those of `now` that `before` has not; into `left` and `entered`, which have
   room for all of both. Which of two keys is less cannot be guessed, so nothing jumps on it. */
static void differences(Inside before, Inside now, int32_t *left, int32_t *entered, int64_t *leaving, int64_t *entering)
{
    int64_t old = 0, new = 0, out = 0, in = 0;
    while (old < before.count && new < now.count) {
        int32_t one = before.keys[old], other = now.keys[new];
        left[out] = one;
        entered[in] = other;
        out += one < other;
        in += other < one;
        old += one <= other;
        new += other <= one;
    }
    while (old < before.count)
        left[out++] = before.keys[old++];
    while (new < now.count)
        entered[in++] = now.keys[new++];
    *leaving = out;
    *entering = in;
}

/* The changes at one fix; false where there is no memory. */
static bool add_changes(Found *found, int64_t number, Inside before, Inside now, bool *any)
{
    // most fixes change nothing
    if (before.count == now.count &&
        (!now.count || !memcmp(before.keys, now.keys, sizeof *now.keys * (size_t)now.count)))
        return true;
    found->differing.used = 0;
    int32_t *left = grow(&found->differing, 2 * sizeof *left * (size_t)(before.count + now.count));
    if (!left)
        return false;
    int32_t *entered = left + before.count + now.count;
    int64_t leaving, entering;
    differences(before, now, left, entered, &leaving, &entering);
    int64_t changes = leaving + entering; // at least one: sorted sets that are not equal differ somewhere
    *any = true;
    int64_t *numbers = grow(&found->given[NUMBERS], sizeof *numbers * (size_t)changes);
    int32_t *geofences = grow(&found->given[GEOFENCES], sizeof *geofences * (size_t)changes);
    int8_t *kinds = grow(&found->given[KINDS], sizeof *kinds * (size_t)changes);
    if (!numbers || !geofences || !kinds)
        return false;
    for (int64_t at = 0; at < changes; at++) {
        numbers[at] = number;
        geofences[at] = at < leaving ? left[at] : entered[at - leaving];
        kinds[at] = at < leaving ? EXIT : ENTER;
    }
    return true;
}

static bool add_holder(Found *found, int32_t device, Inside inside)
{
    int32_t *changed = grow(&found->given[CHANGED], sizeof *changed);
    int32_t *holders = grow(&found->given[HOLDERS], sizeof *holders * (size_t)inside.count);
    int32_t *held = grow(&found->given[HELD], sizeof *held * (size_t)inside.count);
    if (!changed || !holders || !held)
        return false;
    *changed = device;
    for (int64_t at = 0; at < inside.count; at++)
        holders[at] = device;
    if (inside.count)
        memcpy(held, inside.keys, sizeof *held * (size_t)inside.count);
    return true;
}

static int ascending(const void *one, const void *two)
{
    int32_t a = *(const int32_t *)one, b = *(const int32_t *)two;
    return (a > b) - (a < b);
}

/* What a device was inside of: its row, then what is kept aside of it. */
static bool read_past(const Column *columns, int32_t device, int64_t place, int64_t *aside, Found *found,
                      Inside *past)
{
    const int64_t width = *(const int64_t *)columns[WIDTH].items;
    const int32_t *row = (const int32_t *)columns[TABLE].items + device * width, *more = columns[KEY].items;
    const int64_t *places = columns[ASIDE].items, *first = columns[FIRST].items;
    int64_t many = 0;
    if (*aside < columns[ASIDE].length && places[*aside] == place) {
        int64_t start = first[*aside], end = first[++*aside];
        if (start < 0 || end < start || end > columns[KEY].length) {
            found->wrong = "first: expected numbers of keys, ascending";
            return false;
        }
        more += start;
        many = end - start;
    }
    found->past.used = 0;
    int32_t *keys = grow(&found->past, sizeof *keys * (size_t)(width + many));
    if (!keys)
        return false;
    int64_t count = 0;
    bool sorted = true;
    for (int64_t at = 0; at < width + many; at++) {
        int32_t key = at < width ? row[at] : more[at - width];
        if (!key)
            continue;
        sorted &= !count || keys[count - 1] < key;
        keys[count++] = key;
    }
    if (!sorted)
        qsort(keys, (size_t)count, sizeof *keys, ascending);
    *past = (Inside){keys, count};
    return true;
}

static bool find_changes(const Column *columns, const int64_t *first, Found *found)
{
    const int64_t *fix = columns[FIX].items, *past = columns[PAST].items;
    const int32_t *devices = columns[DEVICES].items, *geofence = columns[GEOFENCE].items;
    const int64_t fixes = columns[LATE].length, places = columns[PAST].length, numbers = columns[FIX].length - 1;
    const int64_t rows = columns[TABLE].length / *(const int64_t *)columns[WIDTH].items;
    int64_t aside = 0;
    for (int64_t place = 0; place < places; place++) {
        int64_t begin = past[place], end = place + 1 < places ? past[place + 1] : numbers;
        int32_t device = devices[place];
        if (begin < 0 || begin >= end || end > numbers || device < 0 || device >= rows) {
            found->wrong = "past, devices: expected numbers and rows of the table";
            return false;
        }
        Inside before, now;
        if (!read_past(columns, device, place, &aside, found, &before))
            return false;
        bool changes = false;
        for (int64_t number = begin + 1; number < end; number++, before = now) {
            int64_t ahead = number + AHEAD < numbers ? fix[number + AHEAD] : 0;
            if (ahead >= 0 && ahead < fixes)
                FETCH(geofence + first[ahead]);
            if (fix[number] < 0 || fix[number] >= fixes) {
                found->wrong = "fix: expected numbers of fixes";
                return false;
            }
            now = (Inside){geofence + first[fix[number]], first[fix[number] + 1] - first[fix[number]]};
            if (!add_changes(found, number, before, now, &changes))
                return false;
        }
        if (changes && !add_holder(found, device, before))
            return false;
    }
    return true;
}

/* Whether a pair comes behind the one before it; nothing jumps on it. */
static inline bool follows(const int64_t *position, const int32_t *geofence, int64_t pair)
{
    return (position[pair] > position[pair - 1]) |
           ((position[pair] == position[pair - 1]) & (geofence[pair] > geofence[pair - 1]));
}

/* The first pair that is not as it must be, or -1. */
static int64_t wrong_pair(const int64_t *position, const int32_t *geofence, int64_t pairs, int64_t fixes)
{
    bool right = !pairs || (position[0] >= 0 && position[pairs - 1] < fixes);
    for (int64_t pair = 1; pair < pairs; pair++)
        right &= follows(position, geofence, pair);
    if (right)
        return -1;
    int64_t pair = 0;
    while (position[pair] >= 0 && position[pair] < fixes && (!pair || follows(position, geofence, pair)))
        pair++;
    return pair;
}

/* Of each fix its first pair, with the end behind the last; NULL and an exception if there are no such. */
static int64_t *first_pairs(const Column *columns)
{
    const int64_t *position = columns[POSITION].items;
    const int64_t pairs = columns[POSITION].length, fixes = columns[LATE].length;
    const int32_t *geofence = columns[GEOFENCE].items;
    int64_t wrong = wrong_pair(position, geofence, pairs, fixes);
    if (wrong >= 0) {
        PyErr_Format(PyExc_ValueError,
                     "pair %lld of position %lld and geofence %d: expected positions 0 to %lld, ascending, and "
                     "geofences of each ascending",
                     (long long)wrong, (long long)position[wrong], (int)geofence[wrong], (long long)fixes - 1);
        return NULL;
    }
    int64_t *first = calloc((size_t)(fixes + 1), sizeof *first);
    if (!first) {
        PyErr_NoMemory();
        return NULL;
    }
    for (int64_t pair = 0; pair < pairs; pair++)
        first[position[pair] + 1] = pair + 1; /* the last one stays */
    for (int64_t fix = 1; fix <= fixes; fix++)
        first[fix] = first[fix] ? first[fix] : first[fix - 1];
    return first;
}

static bool fit_together(const Column *columns)
{
    if (!has_length(&columns[GEOFENCE], &EXPECTED[GEOFENCE], columns[POSITION].length) ||
        !has_length(&columns[DEVICES], &EXPECTED[DEVICES], columns[PAST].length) ||
        !has_length(&columns[FIRST], &EXPECTED[FIRST], columns[ASIDE].length + 1) ||
        !has_length(&columns[WIDTH], &EXPECTED[WIDTH], 1))
        return false;
    int64_t width = *(const int64_t *)columns[WIDTH].items;
    if (width < 1 || columns[TABLE].length % width || columns[FIX].length < 1) {
        PyErr_SetString(PyExc_ValueError, "table: expected rows of at least one; fix: expected an end");
        return false;
    }
    return true;
}

PyObject *changes_at_fixes(PyObject *module, PyObject *const *objects, Py_ssize_t given)
{
    (void)module;
    Column columns[COUNT];
    Found found = {.wrong = NULL};
    PyObject *answer = NULL;
    int64_t *first = NULL;
    if (!open_columns(objects, given, EXPECTED, COUNT, columns) || !fit_together(columns))
        goto end;
    if (!(first = first_pairs(columns)))
        goto end;
    bool done;
    Py_BEGIN_ALLOW_THREADS
    done = find_changes(columns, first, &found);
    Py_END_ALLOW_THREADS
    if (done)
        answer = taken(found.given, GIVEN);
    else if (found.wrong)
        PyErr_SetString(PyExc_ValueError, found.wrong);
    else
        PyErr_NoMemory();
end:
    for (int at = 0; at < GIVEN; at++)
        free(found.given[at].items);
    free(found.past.items);
    free(found.differing.items);
    free(first);
    close_columns(columns, COUNT);
    return answer;
}
