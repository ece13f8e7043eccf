/* All that a line has beside the position itself, as the text in which it is kept; see properties.py. */

#ifndef OVERFLY_KEPT_H
#define OVERFLY_KEPT_H

#include "scanning.h"

enum { MOST_KEPT = 32 };

typedef struct {
    PyObject *found; /* a list of texts, one a row; NULL where they are not wanted */
    Text names[MOST_KEPT]; /* of the line in hand */
    Text values[MOST_KEPT];
    int count;
} Kept;

/* Remembers a member of the line in hand. False where its value may be written otherwise in that text, as an object
   or an array may be, or a number that is not written in its shortest form, or where there are too many. */
bool keep(Kept *kept, const Text *name, const Text *value);

/* Sorts the members of the line in hand by name. False where two have one name. */
bool sort_kept(Kept *kept);

/* Adds the text of the members of the line in hand; false and an exception where Python fails. */
bool add_kept(Kept *kept);

#endif
