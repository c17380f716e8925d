/* Included by the compiler before everything else in this library. The library shares source files with the program;
 * what they define gets names here that cannot meet those of a user's node. */
#ifndef NODELIB_NAMES_H
#define NODELIB_NAMES_H

#define buffer_double          lockstep_node_buffer_double
#define buffer_drop            lockstep_node_buffer_drop
#define buffer_format          lockstep_node_buffer_format
#define buffer_free            lockstep_node_buffer_free
#define buffer_grow            lockstep_node_buffer_grow
#define buffer_i64             lockstep_node_buffer_i64
#define buffer_number_set      lockstep_node_buffer_number_set
#define buffer_string          lockstep_node_buffer_string
#define buffer_u64             lockstep_node_buffer_u64
#define channel_close          lockstep_node_channel_close
#define channel_flush          lockstep_node_channel_flush
#define channel_line           lockstep_node_channel_line
#define channel_open           lockstep_node_channel_open
#define digest_first64         lockstep_node_digest_first64
#define json_blanks            lockstep_node_json_blanks
#define json_compact           lockstep_node_json_compact
#define json_decode            lockstep_node_json_decode
#define json_encode            lockstep_node_json_encode
#define json_is                lockstep_node_json_is
#define json_next              lockstep_node_json_next
#define json_problem           lockstep_node_json_problem
#define json_value_end         lockstep_node_json_value_end
#define mem_alloc              lockstep_node_mem_alloc
#define mem_array              lockstep_node_mem_array
#define mem_grow               lockstep_node_mem_grow
#define mem_resize             lockstep_node_mem_resize
#define mem_text               lockstep_node_mem_text
#define mem_text_n             lockstep_node_mem_text_n
#define number_digits          lockstep_node_number_digits
#define number_format          lockstep_node_number_format
#define queue_at               lockstep_node_queue_at
#define queue_count            lockstep_node_queue_count
#define queue_first            lockstep_node_queue_first
#define queue_free             lockstep_node_queue_free
#define queue_new              lockstep_node_queue_new
#define queue_pop              lockstep_node_queue_pop
#define queue_push             lockstep_node_queue_push
#define queue_remove           lockstep_node_queue_remove
#define random_double          lockstep_node_random_double
#define random_gauss           lockstep_node_random_gauss
#define random_seed            lockstep_node_random_seed
#define random_seed_text       lockstep_node_random_seed_text
#define simtime_format         lockstep_node_simtime_format
#define simtime_format_seconds lockstep_node_simtime_format_seconds
#define simtime_parse          lockstep_node_simtime_parse
#define utf8_check             lockstep_node_utf8_check
#define utf8_decode            lockstep_node_utf8_decode
#define utf8_encode            lockstep_node_utf8_encode
#define utf8_escape            lockstep_node_utf8_escape
#define utf8_is_safe           lockstep_node_utf8_is_safe

#endif
