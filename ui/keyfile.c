#include "ui/keyfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "ui/canvas.h"
#include "ui/keys.h"

/* The rest of a line behind a word and its blanks, or NULL when the line does not start with that word. */
static const char *behind(const char *line, const char *word)
{
    size_t len = strlen(word);
    if (strncmp(line, word, len) != 0 || (line[len] != ' ' && line[len] != '\t'))
        return NULL;
    return line + len + 1;
}

static const char *trimmed(const char *s)
{
    return s + strspn(s, " \t");
}

static bool parse_until(const char *text, struct key_step *step)
{
    const char *why;
    for (int s = SESSION_LOADED; s <= SESSION_ABORTED; s++)
        if (!strcasecmp(text, session_state_name((enum session_state)s))) {
            step->kind = KEY_STEP_UNTIL_STATE;
            step->state = (enum session_state)s;
            return true;
        }
    step->kind = KEY_STEP_UNTIL_TIME;
    return simtime_parse(text, 1000000, &step->time, &why) == 0;
}

static bool parse_size(const char *text, struct key_step *step)
{
    char end;
    step->kind = KEY_STEP_RESIZE;
    return strlen(text) < 12 && sscanf(text, "%dx%d%c", &step->columns, &step->rows, &end) == 2 && step->columns >= 1 &&
           step->columns <= CANVAS_MAX_COLUMNS && step->rows >= 1 && step->rows <= CANVAS_MAX_ROWS;
}

/* "click 10,5". Returns false where the line begins with no word of that kind. */
static bool parse_mouse(const char *line, struct key_step *step, const char **why)
{
    static const struct {
        const char *word;
        uint32_t key;
    } words[] = { { "click", INPUT_CLICK },
                  { "double-click", INPUT_DOUBLE_CLICK },
                  { "wheel-up", INPUT_WHEEL_UP },
                  { "wheel-down", INPUT_WHEEL_DOWN } };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *rest = behind(line, words[i].word);
        char end;
        if (!rest)
            continue;
        bool is_place = strlen(rest) < 12 && sscanf(rest, "%d,%d%c", &step->x, &step->y, &end) == 2;
        step->kind = KEY_STEP_MOUSE;
        step->key = words[i].key;
        *why = is_place ? NULL : "the mouse needs a place: COLUMN,ROW, from 0,0 at the upper left";
        return true;
    }
    return false;
}

/* Returns what is wrong with the line, or NULL. */
static const char *parse_line(const char *line, struct key_step *step)
{
    const char *rest;
    if ((rest = behind(line, "type"))) {
        step->kind = KEY_STEP_TYPE;
        step->text = mem_text(rest);
        return utf8_check(rest, strlen(rest)) == strlen(rest) ? NULL : "the text is no valid UTF-8";
    }
    if ((rest = behind(line, "screen"))) {
        step->kind = KEY_STEP_SCREEN;
        step->text = mem_text(trimmed(rest));
        return *step->text ? NULL : "screen needs the name of a file";
    }
    if ((rest = behind(line, "see"))) {
        step->kind = KEY_STEP_SEE;
        step->text = mem_text(trimmed(rest));
        return !*step->text                                                      ? "see needs a text"
               : utf8_check(step->text, strlen(step->text)) < strlen(step->text) ? "the text is no valid UTF-8"
                                                                                 : NULL;
    }
    if ((rest = behind(line, "until")))
        return parse_until(trimmed(rest), step) ? NULL : "until needs a state (PAUSED, FINISHED, …) or a time (2.5s)";
    if ((rest = behind(line, "resize")))
        return parse_size(trimmed(rest), step) ? NULL : "resize needs COLUMNSxROWS, at most 1000x500";
    const char *why;
    if (parse_mouse(line, step, &why))
        return why;
    if (line[0] == ':' && line[1]) {
        step->kind = KEY_STEP_COMMAND;
        step->text = mem_text(line);
        return utf8_check(line, strlen(line)) == strlen(line) ? NULL : "the text is no valid UTF-8";
    }
    step->kind = KEY_STEP_KEY;
    step->key = key_named(line);
    return step->key ? NULL
                     : "no key and no step; a step is a key's name, type, until, see, screen, resize, click or "
                       ":COMMAND";
}

static void add_step(struct key_script *script, const struct key_step *step)
{
    script->steps = mem_grow(script->steps, script->count, &script->capacity, sizeof *script->steps);
    script->steps[script->count++] = *step;
}

int key_script_load(const char *file, struct key_script *script, struct error *err)
{
    struct stat st;
    FILE *f = fopen(file, "re");
    if (!f || fstat(fileno(f), &st) != 0 || S_ISDIR(st.st_mode)) {
        error_set(err, EXIT_USAGE, "%s: %s", file, f ? "is a directory" : strerror(errno));
        if (f)
            fclose(f);
        return -1;
    }
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    for (int n = 1; !err->code && (len = getline(&line, &size, f)) >= 0; n++) {
        while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
            line[--len] = '\0';
        char *start = line + strspn(line, " \t");
        if (!*start || *start == '#')
            continue;
        if (strncmp(start, "type ", 5) != 0)
            while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'))
                line[--len] = '\0';
        struct key_step step = { .line = n };
        const char *why = parse_line(start, &step);
        add_step(script, &step);
        if (why)
            error_set(err, EXIT_USAGE, "%s:%d: '%s': %s", file, n, start, why);
    }
    free(line);
    fclose(f);
    return err->code ? -1 : 0;
}

void key_script_free(struct key_script *script)
{
    for (size_t i = 0; i < script->count; i++)
        free(script->steps[i].text);
    free(script->steps);
    *script = (struct key_script){ 0 };
}
