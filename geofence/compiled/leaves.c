/* From positions to leaves, by whole numbers alone. */

#include "look_up.h"

#define CELLS_ACROSS ((double)(1 << LEVELS))

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

bool find_cells(const CellIndex *index, int64_t start, LookUp *look)
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

bool find_leaves(const CellIndex *index, LookUp *look)
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
