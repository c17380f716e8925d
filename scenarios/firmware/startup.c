/* What runs before main: the vector table, and the start from reset. The names in small letters are board.ld's. */
#include "board.h"
#include "text.h"

extern uint32_t stack_top, data_source, data_start, data_end, bss_start, bss_end;

struct vectors {
    uint32_t *stack;
    void (*handlers[15])(void);
};

int main(void);
void Reset_Handler(void);
void SysTick_Handler(void);

void Reset_Handler(void)
{
    const uint32_t *from = &data_source;
    for (uint32_t *to = &data_start; to < &data_end; to++)
        *to = *from++;
    for (uint32_t *to = &bss_start; to < &bss_end; to++)
        *to = 0;
    main();
    for (;;)
        board_wait();
}

/* A fault of the processor, or an interrupt that nobody asked for: it says so in the log, and rests. */
static void stop(void)
{
    struct text text;
    uint32_t exception;
    __asm__ volatile("mrs %0, ipsr" : "=r"(exception));
    text_begin(&text, "stopped by exception ");
    text_number(&text, exception);
    text_send(&text);
    for (;;)
        board_wait();
}

/* One handler each for the exceptions 1 to 15; those without are reserved. */
__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    .stack = &stack_top,
    .handlers = { Reset_Handler, stop, stop, stop, stop, stop, NULL, NULL, NULL, NULL, stop, stop, NULL, stop,
                  SysTick_Handler },
};
