#include "position_lines.h"

#include "asked.h"
#include "kept.h"
#include "times.h"

#include <math.h>
#include <string.h>

const char usual_positions_says[] =
    "usual_positions(chunk, slots, earliest, latest, names, texts)\n--\n\n"
    "Of whole lines in UTF-8: how many there are, and bytes of columns of those that are usual and good: line (int64),\n"
    "device (int32), sample_time (int64), longitude, latitude, altitude and accuracy (float64, NaN where unknown).\n"
    "The last two are None where no line has one. At last a list of what texts gives for their members of these\n"
    "names, as the line has them, with a line end between two; None where there are no names. With None for names:\n"
    "of all members that are not the position's own the text in which they are kept (see properties.py).";

enum { LEVELS = 16 };

typedef enum { LINE, DEVICE, TIME, LONGITUDE, LATITUDE, ALTITUDE, ACCURACY, COLUMNS } ColumnNumber;
static const int WIDTHS[COLUMNS] = {8, 4, 8, 8, 8, 8, 8};

typedef struct {
    PyObject *slots; /* the number of each device, by its id */
    int64_t earliest, latest;
    Asked asked;
    Kept kept;
    PyObject *made[COLUMNS]; /* bytearrays */
    char *columns[COLUMNS];
    int64_t rows;
    bool has[COLUMNS]; /* whether a row has one */
} Table;

/* The members of a position that are needed, and which of them the line has. */
typedef struct {
    Text device_id;
    int64_t time;
    double values[COLUMNS];
    bool has[COLUMNS];
} Fix;

/* Which column a member of this name goes to; COLUMNS if to none. */
static ColumnNumber column_of(const Text *name)
{
    const char *at = (const char *)name->start;
    if (name->length == 8)
        return !memcmp(at, "deviceId", 8)   ? DEVICE
               : !memcmp(at, "latitude", 8) ? LATITUDE
               : !memcmp(at, "altitude", 8) ? ALTITUDE
               : !memcmp(at, "accuracy", 8) ? ACCURACY
                                            : COLUMNS;
    if (name->length == 9)
        return !memcmp(at, "timestamp", 9) ? TIME : !memcmp(at, "longitude", 9) ? LONGITUDE : COLUMNS;
    return COLUMNS;
}

static bool scan_time(Place *at, int64_t *time)
{
    Text text;
    Number number;
    if (**at == '"')
        return scan_text(at, &text) && time_of_text(&text, time);
    return scan_number(at, &number) && time_of_number(&number, time);
}

/* Degrees or metres. What is null is absent; msgspec reads -0 and -0.0 as it likes. */
static bool scan_measure(Place *at, ColumnNumber column, Fix *fix)
{
    Number number;
    if ((column == ALTITUDE || column == ACCURACY) && **at == 'n') {
        fix->has[column] = false;
        return scan_null(at);
    }
    return scan_number(at, &number) && (number.digits || !number.negative) &&
           nearest_double(&number, &fix->values[column]);
}

static bool scan_value(Place *at, ColumnNumber column, Fix *fix, bool *seen)
{
    if (column == COLUMNS)
        return scan_any(at, LEVELS);
    if (seen[column])
        return false;
    seen[column] = fix->has[column] = true;
    if (column == DEVICE)
        return scan_text(at, &fix->device_id);
    return column == TIME ? scan_time(at, &fix->time) : scan_measure(at, column, fix);
}

static bool scan_member(Place *at, Fix *fix, bool *seen, Table *table)
{
    Text name;
    if (!scan_text(at, &name))
        return false;
    pass_blanks(at);
    if (!pass(at, ':'))
        return false;
    pass_blanks(at);
    Place start = *at;
    ColumnNumber column = column_of(&name);
    if (!scan_value(at, column, fix, seen))
        return false;
    Text value = {start, (int)(*at - start)};
    int number = asked_name(&table->asked, &name);
    if (number >= 0)
        table->asked.values[number] = value;
    bool own = column != COLUMNS && column != ALTITUDE;
    return own || !table->kept.found || keep(&table->kept, &name, &value);
}

/* The fix of a line that is usual, from its first byte to its end. */
static bool scan_fix(Place at, Place end, Fix *fix, Table *table)
{
    Asked *asked = &table->asked;
    bool seen[COLUMNS] = {false};
    memset(fix->has, false, sizeof fix->has);
    memset(asked->values, 0, sizeof *asked->values * (size_t)asked->count);
    table->kept.count = 0;
    if (!pass(&at, '{'))
        return false;
    do {
        pass_blanks(&at);
        if (!scan_member(&at, fix, seen, table))
            return false;
        pass_blanks(&at);
    } while (pass(&at, ','));
    return pass(&at, '}') && at == end && seen[DEVICE] && seen[TIME] && seen[LONGITUDE] && seen[LATITUDE] &&
           sort_kept(&table->kept);
}

static bool is_good(const Fix *fix, const Table *table)
{
    return fix->time >= table->earliest && fix->time <= table->latest && fabs(fix->values[LATITUDE]) <= 90 &&
           fabs(fix->values[LONGITUDE]) <= 180 && (!fix->has[ACCURACY] || fix->values[ACCURACY] >= 0);
}

/* The slot of a device, negative where the id cannot be one; -1 and an exception where Python fails. */
static long slot_of(const Text *device_id, PyObject *slots)
{
    long slot = -1;
    PyObject *id = PyUnicode_FromStringAndSize((const char *)device_id->start, device_id->length);
    if (!id)
        return -1;
    PyObject *found = PyDict_GetItemWithError(slots, id); /* borrowed */
    if (found) {
        slot = PyLong_AsLong(found);
    } else if (!PyErr_Occurred() && (found = PyObject_GetItem(slots, id))) { /* a new one, or none */
        slot = PyLong_AsLong(found);
        Py_DECREF(found);
    }
    Py_DECREF(id);
    return slot;
}

static void add(Table *table, int64_t line, int32_t slot, const Fix *fix)
{
    int64_t row = table->rows++;
    ((int64_t *)table->columns[LINE])[row] = line;
    ((int32_t *)table->columns[DEVICE])[row] = slot;
    ((int64_t *)table->columns[TIME])[row] = fix->time;
    for (int column = LONGITUDE; column < COLUMNS; column++) {
        ((double *)table->columns[column])[row] = fix->has[column] ? fix->values[column] : NAN;
        table->has[column] |= fix->has[column];
    }
}

/* All lines; false and an exception where Python fails. */
static bool read_lines(Place at, Place end, Table *table)
{
    for (int64_t line = 0; at < end; line++) {
        Place line_end = memchr(at, '\n', (size_t)(end - at));
        Fix fix;
        if (line_end - at <= LONGEST_LINE && scan_fix(at, line_end, &fix, table) && is_good(&fix, table)) {
            long slot = slot_of(&fix.device_id, table->slots);
            if (slot >= 0 && slot <= INT32_MAX && add_asked(&table->asked) && add_kept(&table->kept))
                add(table, line, (int32_t)slot, &fix);
        }
        if (PyErr_Occurred())
            return false;
        at = line_end + 1;
    }
    return true;
}

static int64_t count_of_lines(Place at, Place end)
{
    int64_t lines = 0;
    for (; at < end; at++) {
        at = memchr(at, '\n', (size_t)(end - at));
        lines++;
    }
    return lines;
}

static bool make_columns(Table *table, int64_t lines)
{
    for (int column = 0; column < COLUMNS; column++) {
        if (!(table->made[column] = PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)(lines * WIDTHS[column]))))
            return false;
        table->columns[column] = PyByteArray_AsString(table->made[column]);
    }
    return true;
}

static PyObject *answer_of(const Table *table, int64_t lines)
{
    PyObject *answer = PyTuple_New(COLUMNS + 2), *count = PyLong_FromLongLong(lines);
    if (!answer || !count) {
        Py_XDECREF(answer);
        Py_XDECREF(count);
        return NULL;
    }
    PyTuple_SetItem(answer, 0, count);
    for (int column = 0; column < COLUMNS; column++) {
        PyObject *item = table->made[column];
        if ((column == ALTITUDE || column == ACCURACY) && !table->has[column])
            item = Py_None;
        else if (PyByteArray_Resize(item, (Py_ssize_t)(table->rows * WIDTHS[column])) < 0) {
            Py_DECREF(answer);
            return NULL;
        }
        Py_INCREF(item);
        PyTuple_SetItem(answer, column + 1, item);
    }
    PyObject *texts = table->asked.found ? table->asked.found : table->kept.found ? table->kept.found : Py_None;
    Py_INCREF(texts);
    PyTuple_SetItem(answer, COLUMNS + 1, texts);
    return answer;
}

static bool open_properties(PyObject *names, PyObject *texts, Table *table)
{
    if (names == Py_None)
        return (table->kept.found = PyList_New(0));
    return open_asked(names, texts, &table->asked);
}

PyObject *usual_positions(PyObject *module, PyObject *const *objects, Py_ssize_t given)
{
    (void)module;
    if (given != 6 || !PyBytes_Check(objects[0]) || !PyDict_Check(objects[1])) {
        PyErr_SetString(PyExc_TypeError, "expected bytes of lines, a dict of slots, two times, names and a dict of texts");
        return NULL;
    }
    Table table = {.slots = objects[1]};
    char *start;
    Py_ssize_t length;
    if (PyBytes_AsStringAndSize(objects[0], &start, &length) < 0)
        return NULL;
    table.earliest = PyLong_AsLongLong(objects[2]);
    table.latest = PyLong_AsLongLong(objects[3]);
    if (PyErr_Occurred())
        return NULL;
    if (length && start[length - 1] != '\n') {
        PyErr_SetString(PyExc_ValueError, "expected a line end at the end of the lines");
        return NULL;
    }
    Place at = (Place)start, end = at + length;
    int64_t lines = count_of_lines(at, end);
    if (lines > PY_SSIZE_T_MAX / 8)
        return PyErr_NoMemory();
    PyObject *answer = NULL;
    if (open_properties(objects[4], objects[5], &table) && make_columns(&table, lines) && read_lines(at, end, &table))
        answer = answer_of(&table, lines);
    for (int column = 0; column < COLUMNS; column++)
        Py_XDECREF(table.made[column]);
    Py_XDECREF(table.asked.found);
    Py_XDECREF(table.kept.found);
    return answer;
}
