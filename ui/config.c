#include "ui/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

/* False where there is none. */
static bool folder_of(bool usual, struct buffer *out)
{
    const char *given = getenv("LOCKSTEP_CONFIG"), *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (given && *given)
        buffer_text(out, given);
    else if (usual && config && *config == '/') /* others are to be left alone, as the folders' specification says */
        buffer_format(out, "%s/lockstep", config);
    else if (usual && home && *home == '/')
        buffer_format(out, "%s/.config/lockstep", home);
    return out->len > 0;
}

static struct settings load(const struct buffer *folder, const char *name, struct problems *problems)
{
    struct buffer file = { 0 };
    buffer_add(&file, folder->data, folder->len);
    buffer_format(&file, "/%s", name);
    struct settings s = settings_load(buffer_string(&file), problems);
    buffer_free(&file);
    return s;
}

void config_load(struct config *c, bool usual)
{
    struct buffer folder = { 0 };
    *c = (struct config){ 0 };
    keymap_init(&c->keys);
    if (folder_of(usual, &folder)) {
        struct settings keys = load(&folder, "keys.yaml", &c->problems);
        struct settings theme = load(&folder, "theme.yaml", &c->problems);
        keymap_set(&c->keys, &keys, &c->problems);
        theme_set(&c->theme, &theme, &c->problems);
        settings_free(&keys);
        settings_free(&theme);
    }
    buffer_free(&folder);
    problems_sort(&c->problems);
}

void config_free(struct config *c)
{
    keymap_free(&c->keys);
    problems_clear(&c->problems);
}
