/* yardstick: measures how well a file compresses, and keeps the score in SQL. */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static const char YARD[] =
    "A yard is where things are forged: a stone, a stick and a measure. "
    "A stone, a stick and a measure make a yard, and the yard makes the stone, the stick and the measure.\n";

static unsigned char *read_all(const char *path, size_t *length)
{
    FILE *in = fopen(path, "rb");
    unsigned char *bytes = NULL;
    size_t room = 0;

    *length = 0;
    if (!in)
        return NULL;
    for (;;) {
        if (*length == room) {
            unsigned char *more = realloc(bytes, room = room ? 2 * room : 65536);
            if (!more)
                break;
            bytes = more;
        }
        size_t got = fread(bytes + *length, 1, room - *length, in);
        if (!got)
            break;
        *length += got;
    }
    if (ferror(in)) {
        free(bytes);
        bytes = NULL;
    }
    fclose(in);
    return bytes;
}

static int measure(sqlite3 *score, const unsigned char *bytes, size_t length)
{
    uLong room = compressBound(length);
    unsigned char *out = malloc(room);
    sqlite3_stmt *add = NULL;
    int ok = out && !sqlite3_prepare_v2(score, "insert into score values (?, ?)", -1, &add, NULL);

    for (int level = 1; ok && level <= 9; level++) {
        uLong size = room;
        ok = compress2(out, &size, bytes, length, level) == Z_OK;
        sqlite3_bind_int(add, 1, level);
        sqlite3_bind_int64(add, 2, (sqlite3_int64)size);
        ok = ok && sqlite3_step(add) == SQLITE_DONE;
        sqlite3_reset(add);
    }
    sqlite3_finalize(add);
    free(out);
    return ok;
}

static int report(sqlite3 *score, const char *name, size_t length)
{
    static const char BEST[] = "select level, size from score order by size, level limit 1";
    sqlite3_stmt *best = NULL;
    int ok = !sqlite3_prepare_v2(score, BEST, -1, &best, NULL) && sqlite3_step(best) == SQLITE_ROW;

    if (ok) {
        sqlite3_int64 size = sqlite3_column_int64(best, 1);
        printf("%s: %zu bytes measure %lld bytes at level %d", name, length, (long long)size,
               sqlite3_column_int(best, 0));
        if (length)
            printf(" (%.0f %%)", 100.0 * (double)size / (double)length);
        printf(".\nGood day from yardstick " VERSION ", zlib %s and SQLite %s.\n", zlibVersion(),
               sqlite3_libversion());
    }
    sqlite3_finalize(best);
    return ok;
}

int main(int count, char **words)
{
    const char *path = count > 1 ? words[1] : NULL;
    unsigned char *read = NULL;
    size_t length = sizeof YARD - 1;
    sqlite3 *score = NULL;
    int ok;

    if (count > 2 || (path && !strcmp(path, "--help"))) {
        printf("usage: yardstick [FILE]\nMeasures how well FILE compresses; without FILE, a line of its own.\n");
        return count > 2 ? 2 : 0;
    }
    if (path && !strcmp(path, "--version")) {
        puts("yardstick " VERSION);
        return 0;
    }
    if (path && !(read = read_all(path, &length))) {
        fprintf(stderr, "yardstick: cannot read %s: %s\n", path, strerror(errno));
        return 1;
    }
    ok = !sqlite3_open(":memory:", &score) &&
         !sqlite3_exec(score, "create table score (level, size)", NULL, NULL, NULL) &&
         measure(score, read ? read : (const unsigned char *)YARD, length) &&
         report(score, path ? path : "one yard of text", length);
    if (!ok)
        fprintf(stderr, "yardstick: %s\n", score ? sqlite3_errmsg(score) : "out of memory");
    sqlite3_close(score);
    free(read);
    return ok ? 0 : 1;
}
