/* The board of board.repl: SysTick is the clock, the nRF52840's UARTE with its DMA the UART. */
#include "board.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

/* The system timer, and the bit that tells of its interrupt waiting. */
#define SYSTICK_CONTROL   REGISTER(0xE000E010u)
#define SYSTICK_RELOAD    REGISTER(0xE000E014u)
#define SYSTICK_VALUE     REGISTER(0xE000E018u)
#define INTERRUPT_CONTROL REGISTER(0xE000ED04u)
#define SYSTICK_RUN       7u /* enable, interrupt, the processor's clock */
#define SYSTICK_PENDING   (1u << 26)

/* Cycles of the processor's 64 MHz. */
#define CYCLES_PER_MICROSECOND 64u
#define CYCLES_PER_MILLISECOND 64000u

#define UART(offset)         REGISTER(0x40002000u + (offset))
#define UART_START_RECEIVER  UART(0x000)
#define UART_START_SENDER    UART(0x008)
#define UART_RECEIVED        UART(0x110)
#define UART_SENT            UART(0x120)
#define UART_ENABLE          UART(0x500)
#define UART_BAUD_RATE       UART(0x524)
#define UART_RECEIVE_TO      UART(0x534)
#define UART_RECEIVE_COUNT   UART(0x538)
#define UART_SEND_FROM       UART(0x544)
#define UART_SEND_COUNT      UART(0x548)
#define UART_ENABLE_WITH_DMA 8u
#define UART_115200_BAUD     0x01D7E000u

/* A sender that does not say that it is done is given up after so many looks, so that the firmware goes on. */
#define SEND_LOOKS 10000000u

static volatile uint64_t milliseconds; /* the interrupt's; read with interrupts held back */
static volatile uint8_t received;      /* the DMA's, one byte at a time */

void SysTick_Handler(void);

void SysTick_Handler(void)
{
    milliseconds++;
}

static void receive_next(void)
{
    UART_RECEIVED = 0;
    UART_RECEIVE_TO = (uint32_t)(uintptr_t)&received;
    UART_RECEIVE_COUNT = 1;
    UART_START_RECEIVER = 1;
}

void board_start(void)
{
    UART_BAUD_RATE = UART_115200_BAUD;
    UART_ENABLE = UART_ENABLE_WITH_DMA;
    receive_next();
    SYSTICK_RELOAD = CYCLES_PER_MILLISECOND - 1;
    SYSTICK_VALUE = 0;
    SYSTICK_CONTROL = SYSTICK_RUN;
}

/* The timer counts down. It may have begun anew while its interrupt still waits: that millisecond is counted here.
 * Where nothing tells of the interrupt, the time before does: it cannot be later. */
uint64_t board_time(void)
{
    static uint64_t before;
    __asm__ volatile("cpsid i" ::: "memory");
    uint64_t whole = milliseconds;
    uint32_t value = SYSTICK_VALUE;
    if (INTERRUPT_CONTROL & SYSTICK_PENDING) {
        value = SYSTICK_VALUE;
        whole++;
    }
    __asm__ volatile("cpsie i" ::: "memory");
    uint64_t now = whole * 1000 + (CYCLES_PER_MILLISECOND - 1 - value) / CYCLES_PER_MICROSECOND;
    if (now < before)
        now += 1000;
    before = now;
    return now;
}

int board_receive(void)
{
    if (!UART_RECEIVED)
        return -1;
    int byte = received;
    receive_next();
    return byte;
}

void board_send(const char *data, size_t len)
{
    UART_SENT = 0;
    UART_SEND_FROM = (uint32_t)(uintptr_t)data;
    UART_SEND_COUNT = (uint32_t)len;
    __asm__ volatile("" ::: "memory"); /* the DMA reads what was written to data */
    UART_START_SENDER = 1;
    for (uint32_t looks = 0; !UART_SENT && looks < SEND_LOOKS; looks++) {
    }
}

void board_wait(void)
{
    __asm__ volatile("wfi" ::: "memory");
}

/* In flash, right behind the vector table. Two boards with the same firmware need not measure the same: whoever loads
 * it may write another number there, in Renode with `sysbus WriteDoubleWord 0x40 7`. */
__attribute__((section(".seed"), used)) static const volatile uint32_t seed = 1;

uint32_t board_seed(void)
{
    return seed;
}
