#include "cell_index.h"

static const Expected EXPECTED[] = {
    {"longitude", 'd'}, /* of positions, degrees */
    {"latitude", 'd'},
    {"part", 'i'},    /* of equal parts of all codes, where the smaller ones of each begin, and the last one's end; */
    {"leaf_of", 'i'}, /* of these the leaf in which each begins, with the last leaf behind them */
    {"leaf", 'q'},    /* Leaf */
    {"area", 'i'},    /* numbers of areas; behind the last of them, numbers of crossed cells */
    {"key", 'i'},     /* of areas: polygons, then circles */
    {"discarded", 'b'},
    {"circle", 'd'}, /* see Circles.chords */
    {"cell", 'q'},   /* Cell */
    {"vertex", 'i'}, /* edges, by the first of their two vertices */
    {"place", 'd'},  /* longitude, latitude of vertices */
};

int bits_of(int64_t parts)
{
    int bits = 0;
    while (bits < CODE_BITS && (int64_t)1 << bits < parts)
        bits++;
    return (int64_t)1 << bits == parts ? bits : -1;
}

static bool fit_together(const Column *columns)
{
    int64_t circles = columns[CIRCLE].length / CIRCLE_COLUMNS;
    if (!has_length(&columns[LATITUDE], &EXPECTED[LATITUDE], columns[LONGITUDE].length) ||
        !has_length(&columns[DISCARDED], &EXPECTED[DISCARDED], columns[KEY].length) ||
        !has_length(&columns[CIRCLE], &EXPECTED[CIRCLE], CIRCLE_COLUMNS * circles) ||
        !has_length(&columns[LEAF], &EXPECTED[LEAF], columns[LEAF].length / 2 * 2) ||
        !has_length(&columns[CELL], &EXPECTED[CELL], columns[CELL].length / 2 * 2) ||
        !has_length(&columns[PLACE], &EXPECTED[PLACE], columns[PLACE].length / 2 * 2))
        return false;
    if (bits_of(columns[PART].length - 1) < 0 || columns[LEAF].length < 4 || columns[CELL].length < 2 ||
        circles > columns[KEY].length) {
        PyErr_SetString(PyExc_ValueError, "part: expected a power of two and an end; leaf, cell: expected one more "
                                          "than there are; circle: expected no more than areas");
        return false;
    }
    return true;
}

bool open_index(PyObject *const *objects, Py_ssize_t given, Column *columns, CellIndex *index)
{
    if (!open_columns(objects, given, EXPECTED, INDEX_COLUMNS, columns) || !fit_together(columns))
        return false;
    *index = (CellIndex){
        .positions = columns[LONGITUDE].length,
        .parts = columns[PART].length - 1,
        .smaller_parts = columns[LEAF_OF].length - 1,
        .leaves = columns[LEAF].length / 2 - 1,
        .listed = columns[AREA].length,
        .areas = columns[KEY].length,
        .polygons = columns[KEY].length - columns[CIRCLE].length / CIRCLE_COLUMNS,
        .cells = columns[CELL].length / 2 - 1,
        .edges = columns[VERTEX].length,
        .vertices = columns[PLACE].length / 2,
        .longitude = columns[LONGITUDE].items,
        .latitude = columns[LATITUDE].items,
        .circle = columns[CIRCLE].items,
        .place = columns[PLACE].items,
        .leaf = columns[LEAF].items,
        .cell = columns[CELL].items,
        .part = columns[PART].items,
        .leaf_of = columns[LEAF_OF].items,
        .area = columns[AREA].items,
        .key = columns[KEY].items,
        .vertex = columns[VERTEX].items,
        .discarded = columns[DISCARDED].items,
    };
    for (int level = 0; level <= LEVELS; level++) {
        index->width[level] = ldexp(360.0, -level);
        index->height[level] = ldexp(180.0, -level);
    }
    return true;
}
