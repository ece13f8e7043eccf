/* The look-up in the cell index: position, cell, leaf, listed areas, and the exact test at boundaries.

   Most of its time a look-up waits for memory. So some positions are looked up together, step by step, and each step
   asks for what the next one reads. */

#include "look_up.h"
#include "boundaries.h"

#include <stdlib.h>
#include <string.h>

const char look_up_says[] =
    "look_up(longitude, latitude, part, leaf_of, leaf, area, key, discarded, circle, cell, vertex, place)\n--\n\n"
    "Bytes of the positions (int64) and keys (int32) of pairs, by position, then key; and of those that are not\n"
    "decided, the number of the pair (int64) and of the area (int32).";

enum { POSITIONS, KEYS, OPEN_PAIRS, OPEN_AREAS, GIVEN };
enum { TOGETHER = 32, SHORT = 24 };
#define CELLS_ACROSS ((double)(1 << LEVELS))

#if defined(__GNUC__)
#define FETCH(address) __builtin_prefetch(address)
#else
#define FETCH(address) ((void)0)
#endif

/* An area whose boundary crosses the leaf of a position; of a polygon its crossed cell, of a circle -1. */
typedef struct {
    int32_t position, area, cell;
    Side side;
} Test;

typedef struct {
    Position here[TOGETHER];
    int64_t leaf[TOGETHER], first_test[TOGETHER + 1];
    Growing tests, items; /* items: of one position, key << 32, + 1 + area where it is not decided */
    int many;
    Growing given[GIVEN];
    const char *wrong; /* what is not as it must be; NULL for want of memory */
    int64_t where;     /* the position that is wrong, or -1 */
} LookUp;

static bool fails(LookUp *look, const char *wrong)
{
    look->wrong = wrong;
    return false;
}

static uint64_t spread(uint64_t number)
{
    number = (number | number << 16) & 0x0000FFFF0000FFFF;
    number = (number | number << 8) & 0x00FF00FF00FF00FF;
    number = (number | number << 4) & 0x0F0F0F0F0F0F0F0F;
    number = (number | number << 2) & 0x3333333333333333;
    return (number | number << 1) & 0x5555555555555555;
}

/* As grid.py has it, operation by operation. */
static Position position_at(double longitude, double latitude)
{
    const int32_t last = (1 << LEVELS) - 1;
    int32_t column = (int32_t)((longitude + 180.0) * (CELLS_ACROSS / 360.0));
    int32_t row = (int32_t)((latitude + 90.0) * (CELLS_ACROSS / 180.0));
    Position here = {{longitude, latitude}, 0, column < last ? column : last, row < last ? row : last};
    here.code = (int64_t)(spread((uint64_t)here.column) | spread((uint64_t)here.row) << 1);
    return here;
}

static bool find_cells(const CellIndex *index, int64_t start, LookUp *look)
{
    for (int at = 0; at < look->many; at++) {
        double longitude = index->longitude[start + at], latitude = index->latitude[start + at];
        if (!(longitude >= -180 && longitude <= 180 && latitude >= -90 && latitude <= 90)) {
            look->where = start + at;
            return fails(look, "expected -180 to 180 degrees of longitude and -90 to 90 of latitude");
        }
        look->here[at] = position_at(longitude, latitude);
    }
    return true;
}

/* The last leaf, of those from `low` to `high`, that begins at the code or before it. */
static int64_t leaf_of(const Leaf *leaf, int64_t low, int64_t high, int64_t code)
{
    for (int64_t many = high - low + 1; many > 1;) {
        int64_t half = many / 2;
        low = leaf[low + half].start <= code ? low + half : low;
        many -= half;
    }
    return low;
}

static bool find_leaves(const CellIndex *index, LookUp *look)
{
    const int shift = CODE_BITS - bits_of(index->parts);
    int64_t *low = look->leaf, high[TOGETHER];
    for (int at = 0; at < look->many; at++) {
        int64_t code = look->here[at].code, part = code >> shift;
        int64_t first = index->part[part], parts = index->part[part + 1] - first;
        int bits = bits_of(parts);
        if (first < 0 || bits < 0 || bits > shift || first + parts > index->smaller_parts)
            return fails(look, "part: expected places of smaller parts, of each as many as a power of two");
        low[at] = first + (code >> (shift - bits) & (parts - 1));
        FETCH(index->leaf_of + low[at]);
    }
    for (int at = 0; at < look->many; at++) {
        high[at] = index->leaf_of[low[at] + 1];
        low[at] = index->leaf_of[low[at]];
        if (low[at] < 0 || low[at] > high[at] || high[at] >= index->leaves)
            return fails(look, "leaf_of: expected numbers of leaves, ascending");
        FETCH(index->leaf + (low[at] + high[at]) / 2);
    }
    for (int at = 0; at < look->many; at++) {
        const Leaf *leaf = index->leaf + leaf_of(index->leaf, low[at], high[at], look->here[at].code);
        if (leaf->whole < 0 || leaf->whole > leaf->crossed || leaf->crossed > (leaf + 1)->whole ||
            (leaf + 1)->whole > index->listed)
            return fails(look, "leaf: expected places of areas, ascending");
        look->leaf[at] = leaf - index->leaf;
        FETCH(index->area + leaf->whole);
    }
    return true;
}

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
        int64_t area = cell->cell >> CODE_BITS, sought = area << CODE_BITS | look->here[test->position].code;
        while (cell + 1 < end && (cell + 1)->cell <= sought)
            cell++;
        if (area < 0 || area >= index->polygons || cell->first < 0 || cell->first > index->edges)
            return fails(look, "cell: expected cells of polygons with places of edges");
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
