/* What the build made of scenarios/firmware for the board: programs that the board can begin with. Skipped where they
 * were not built. */
#include "check.h"

#include <stdbool.h>

#define FOLDER LOCKSTEP_SOURCE_DIR "/scenarios/firmware"

struct elf {
    unsigned char data[64 << 10];
    size_t len;
};

static uint32_t number_at(const struct elf *elf, size_t at, size_t bytes)
{
    uint32_t number = 0;
    assert_true(at <= elf->len && bytes <= elf->len - at);
    for (size_t i = bytes; i > 0; i--)
        number = number << 8 | elf->data[at + i - 1];
    return number;
}

/* The board's memories, as board.repl tells Renode. */
static void memory_of_board(const char *name, uint32_t *base, uint32_t *size)
{
    char text[4000], start[40];
    FILE *f = fopen(FOLDER "/board.repl", "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    snprintf(start, sizeof start, "\n%s: Memory.MappedMemory", name);
    const char *at = strstr(text, start);
    assert_non_null(at);
    assert_int_equal(sscanf(at + strlen(start), " @ sysbus %x size: %x", base, size), 2);
}

static bool is_within(uint32_t address, uint32_t size, uint32_t base, uint32_t room)
{
    return address >= base && size <= room && address - base <= room - size;
}

/* The value of a symbol, from the table of symbols. */
static uint32_t symbol(const struct elf *elf, const char *name)
{
    uint32_t sections = number_at(elf, 32, 4), count = number_at(elf, 48, 2);
    for (uint32_t i = 0; i < count; i++) {
        size_t section = sections + 40 * (size_t)i;
        if (number_at(elf, section + 4, 4) != 2) /* SHT_SYMTAB */
            continue;
        size_t first = number_at(elf, section + 16, 4), end = first + number_at(elf, section + 20, 4);
        size_t names = number_at(elf, sections + 40 * (size_t)number_at(elf, section + 24, 4) + 16, 4);
        for (size_t at = first; at < end; at += 16) {
            size_t text = names + number_at(elf, at, 4);
            number_at(elf, text, strlen(name) + 1); /* it is within the file */
            if (memcmp(elf->data + text, name, strlen(name) + 1) == 0)
                return number_at(elf, at + 4, 4);
        }
    }
    fail_msg("there is no symbol %s", name);
    return 0;
}

/* All that is loaded lies in flash, and what is only reserved in the RAM. Returns the bytes that are loaded; *first is
 * where those of address 0 begin in the file. */
static uint32_t check_segments(const struct elf *elf, size_t *first)
{
    uint32_t flash, flash_size, ram, ram_size, loaded = 0;
    uint32_t headers = number_at(elf, 28, 4), count = number_at(elf, 44, 2);
    memory_of_board("flash", &flash, &flash_size);
    memory_of_board("ram", &ram, &ram_size);
    *first = SIZE_MAX;
    assert_true(count > 0);
    for (uint32_t i = 0; i < count; i++) {
        size_t header = headers + 32 * (size_t)i;
        uint32_t offset = number_at(elf, header + 4, 4), address = number_at(elf, header + 12, 4);
        uint32_t in_file = number_at(elf, header + 16, 4), in_memory = number_at(elf, header + 20, 4);
        if (number_at(elf, header, 4) != 1) /* PT_LOAD */
            continue;
        if (in_file)
            assert_true(is_within(address, in_file, flash, flash_size) && in_file <= elf->len &&
                        offset <= elf->len - in_file);
        if (in_memory > in_file)
            assert_true(is_within(number_at(elf, header + 8, 4), in_memory, ram, ram_size));
        if (in_file && address == flash)
            *first = offset;
        loaded += in_file;
    }
    assert_true(*first != SIZE_MAX);
    return loaded;
}

static void check_elf(const char *path)
{
    static struct elf elf;
    FILE *f = fopen(path, "rb");
    if (!f) {
        print_message("%s was not built; that takes arm-none-eabi-gcc (package gcc-arm-none-eabi)\n", path);
        skip();
    }
    elf.len = fread(elf.data, 1, sizeof elf.data, f);
    fclose(f);
    assert_true(elf.len < sizeof elf.data);
    assert_memory_equal(elf.data,
                        "\x7f"
                        "ELF\x01\x01\x01",
                        7);                       /* 32 bits, little end first */
    assert_int_equal(number_at(&elf, 16, 2), 2);  /* a program */
    assert_int_equal(number_at(&elf, 18, 2), 40); /* ARM */
    uint32_t entry = number_at(&elf, 24, 4), ram, ram_size;
    size_t vectors;
    uint32_t loaded = check_segments(&elf, &vectors);
    print_message("%s: %u bytes\n", path, (unsigned)loaded);
    assert_true(loaded > 64 && loaded < 16 << 10);
    assert_int_equal(number_at(&elf, vectors + 4, 4), entry);
    assert_true(entry & 1); /* Thumb */
    assert_int_equal(symbol(&elf, "Reset_Handler"), entry);
    assert_int_equal(number_at(&elf, vectors + 15 * 4, 4), symbol(&elf, "SysTick_Handler"));
    for (size_t i = 1; i < 16; i++) { /* 7 to 10 and 13 are reserved */
        uint32_t handler = number_at(&elf, vectors + 4 * i, 4);
        assert_true((i >= 7 && i <= 10) || i == 13 ? !handler : (handler & 1) && handler < loaded);
    }
    memory_of_board("ram", &ram, &ram_size);
    uint32_t stack = number_at(&elf, vectors, 4);
    assert_true(stack % 8 == 0 && stack > ram && stack <= ram + ram_size);
    assert_int_equal(symbol(&elf, "seed"), 0x40); /* what board.c says */
}

static void the_sensor_that_was_built_fits_the_board(void **state)
{
    (void)state;
    check_elf(FOLDER "/sensor.elf");
}

static void the_actuator_that_was_built_fits_the_board(void **state)
{
    (void)state;
    check_elf(FOLDER "/actuator.elf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sensor_that_was_built_fits_the_board),
        cmocka_unit_test(the_actuator_that_was_built_fits_the_board),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
