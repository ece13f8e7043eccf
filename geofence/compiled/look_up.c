/* The look-up in the cell index: position, cell, leaf, listed areas, and the exact test at boundaries.

   Most of its time a look-up waits for memory. So some positions are looked up together, step by step, and each step
   asks for what the next one reads. */

#include "look_up.h"

#include <stdlib.h>
#include <string.h>

const char look_up_says[] =
    "look_up(longitude, latitude, part, leaf_of, leaf, area, key, discarded, circle, cell, vertex, place)\n--\n\n"
    "Bytes of the positions (int64) and keys (int32) of pairs, by position, then key; and of those that are not\n"
    "decided, the number of the pair (int64) and of the area (int32).";

enum { SHORT = 24 }; /* items that are sorted by putting each where it belongs */

/* Lists what is to be tested. */
static bool find_tests(const CellIndex *index, LookUp *look)
{
    look->tests.used = 0;
    for (int at = 0; at < look->many; at++) {
        const Leaf *leaf = index->leaf + look->leaf[at];
        int64_t many = (leaf + 1)->whole - leaf->crossed;
        look->first_test[at] = (int64_t)(look->tests.used / sizeof(Test));
        Test *test = grow(&look->tests, sizeof *test * (size_t)many);
        if (!test)
            return false;
        for (const int32_t *area = index->area + leaf->crossed; many--; area++, test++) {
            int64_t cell = (int64_t)*area - index->areas;
            if (*area < index->polygons || cell >= index->cells)
                return fails(look, "area: expected circles or crossed cells where a boundary crosses a leaf");
            *test = (Test){at, *area, cell < 0 ? -1 : (int32_t)cell, OUTSIDE};
            FETCH(cell < 0 ? (const void *)(index->circle + CIRCLE_COLUMNS * (*area - index->polygons))
                           : (const void *)(index->cell + cell));
        }
    }
    look->first_test[look->many] = (int64_t)(look->tests.used / sizeof(Test));
    return true;
}

/* What the tests say. A leaf may go over several crossed cells of an area, of which the first is listed. */
static bool make_tests(const CellIndex *index, LookUp *look)
{
    Test *tests = (Test *)(void *)look->tests.items;
    int64_t many = look->first_test[look->many];
    for (Test *test = tests; test < tests + many; test++) {
        if (test->cell < 0)
            continue;
        const Cell *cell = index->cell + test->cell, *end = index->cell + index->cells;
        int64_t area = cell->cell >> CODE_BITS;
        if (cell->cell < 0 || area >= index->polygons)
            return fails(look, "cell: expected cells of polygons");
        int64_t sought = area << CODE_BITS | look->here[test->position].code;
        while (cell + 1 < end && (cell + 1)->cell <= sought)
            cell++;
        if (cell->first < 0 || cell->first > index->edges)
            return fails(look, "cell: expected places of edges");
        test->area = (int32_t)area;
        test->cell = (int32_t)(cell - index->cell);
        FETCH(index->vertex + cell->first);
    }
    for (Test *test = tests; test < tests + many; test++) {
        int64_t first = test->cell < 0 ? index->edges : index->cell[test->cell].first;
        if (first < index->edges && index->vertex[first] >= 0 && index->vertex[first] < index->vertices)
            FETCH(index->place + index->vertex[first]);
    }
    int32_t position = -1;
    Centred centred = {0};
    for (Test *test = tests; test < tests + many; test++) {
        const Position *here = &look->here[test->position];
        if (test->cell >= 0) {
            test->side = side_of_polygon(index, here, index->cell + test->cell);
            if (test->side == BROKEN)
                return fails(look, "cell, vertex: expected levels, places of edges, and vertices with one behind them");
            continue;
        }
        if (position != test->position)
            centred = earth_centred(here->at);
        position = test->position;
        test->side = side_of_circle(index->circle + CIRCLE_COLUMNS * (test->area - index->polygons), &centred);
    }
    return true;
}

static bool add(const CellIndex *index, int32_t area, bool decided, LookUp *look)
{
    if (index->discarded[area])
        return true;
    uint64_t *item = grow(&look->items, sizeof *item);
    if (!item)
        return false;
    *item = (uint64_t)(uint32_t)index->key[area] << 32 | (decided ? 0 : (uint32_t)area + 1);
    return true;
}

static int by_number(const void *one, const void *two)
{
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)two;
    return (a > b) - (a < b);
}

static void sort(uint64_t *items, size_t count)
{
    if (count > SHORT) {
        qsort(items, count, sizeof *items, by_number);
        return;
    }
    for (size_t at = 1; at < count; at++) {
        uint64_t item = items[at];
        size_t to = at;
        for (; to && items[to - 1] > item; to--)
            items[to] = items[to - 1];
        items[to] = item;
    }
}

/* The areas of one position into the answer, each key once, but for keys that are nowhere decided. */
static bool give(int64_t position, LookUp *look)
{
    uint64_t *items = (uint64_t *)(void *)look->items.items;
    size_t count = look->items.used / sizeof *items;
    sort(items, count);
    int64_t decided = -1;
    for (size_t at = 0; at < count; at++) {
        int64_t key = (int64_t)(items[at] >> 32);
        if (key == decided)
            continue;
        int64_t pair = (int64_t)(look->given[KEYS].used / sizeof(int32_t));
        int64_t *positions = grow(&look->given[POSITIONS], sizeof *positions);
        int32_t *keys = grow(&look->given[KEYS], sizeof *keys);
        if (!positions || !keys)
            return false;
        *positions = position;
        *keys = (int32_t)key;
        if (!(uint32_t)items[at]) {
            decided = key;
            continue;
        }
        int64_t *open_pairs = grow(&look->given[OPEN_PAIRS], sizeof *open_pairs);
        int32_t *open_areas = grow(&look->given[OPEN_AREAS], sizeof *open_areas);
        if (!open_pairs || !open_areas)
            return false;
        *open_pairs = pair;
        *open_areas = (int32_t)((uint32_t)items[at] - 1);
    }
    return true;
}

static bool give_all(const CellIndex *index, int64_t start, LookUp *look)
{
    const Test *tests = (const Test *)(const void *)look->tests.items;
    for (int at = 0; at < look->many; at++) {
        const Leaf *leaf = index->leaf + look->leaf[at];
        look->items.used = 0;
        for (int64_t listed = leaf->whole; listed < leaf->crossed; listed++) {
            int32_t area = index->area[listed];
            if (area < 0 || area >= index->areas)
                return fails(look, "area: expected numbers of areas");
            if (!add(index, area, true, look))
                return false;
        }
        for (int64_t test = look->first_test[at]; test < look->first_test[at + 1]; test++)
            if (tests[test].side != OUTSIDE && !add(index, tests[test].area, tests[test].side == HELD, look))
                return false;
        if (look->items.used && !give(start + at, look))
            return false;
    }
    return true;
}

static bool look_up_all(const CellIndex *index, LookUp *look)
{
    for (int64_t start = 0; start < index->positions; start += TOGETHER) {
        look->many = index->positions - start < TOGETHER ? (int)(index->positions - start) : TOGETHER;
        if (!find_cells(index, start, look) || !find_leaves(index, look) || !find_tests(index, look) ||
            !make_tests(index, look) || !give_all(index, start, look))
            return false;
    }
    return true;
}

PyObject *look_up(PyObject *module, PyObject *const *objects, Py_ssize_t given)
{
    (void)module;
    Column columns[INDEX_COLUMNS];
    CellIndex index;
    LookUp look = {.wrong = NULL, .where = -1};
    PyObject *answer = NULL;
    if (!open_index(objects, given, columns, &index))
        goto end;
    bool done;
    Py_BEGIN_ALLOW_THREADS
    done = look_up_all(&index, &look);
    Py_END_ALLOW_THREADS
    if (done)
        answer = taken(look.given, GIVEN);
    else if (look.where >= 0)
        PyErr_Format(PyExc_ValueError, "position %lld: %s", (long long)look.where, look.wrong);
    else if (look.wrong)
        PyErr_SetString(PyExc_ValueError, look.wrong);
    else
        PyErr_NoMemory();
end:
    for (int at = 0; at < GIVEN; at++)
        free(look.given[at].items);
    free(look.items.items);
    free(look.tests.items);
    close_columns(columns, INDEX_COLUMNS);
    return answer;
}
