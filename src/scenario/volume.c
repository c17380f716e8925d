#include "scenario/volume.h"

#include <string.h>

struct container_volume container_volume(const char *text)
{
    struct container_volume v = { 0 };
    size_t host = strcspn(text, ":");
    v.host = (struct text){ text, host };
    v.is_named = !memchr(text, '/', host) && text[0] != '.';
    v.is_relative = !v.is_named && text[0] != '/';
    text += host + (text[host] == ':');
    size_t inside = strcspn(text, ":");
    v.inside = (struct text){ text, inside };
    text += inside + (text[inside] == ':');
    v.mode = (struct text){ text, strlen(text) };
    return v;
}
