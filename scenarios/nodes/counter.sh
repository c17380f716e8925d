#!/bin/sh
# The node protocol by hand, for transport stdio: a node that counts the messages it gets and reports the count, as a
# local event, at every whole second. No JSON library: a message is counted by its key, "src" or "source", so a payload
# that has such a key as well would be counted too.

second=1000000
next=$second
count=0

# How many messages stand in the line.
count_messages() {
    rest=$1
    while :; do
        case $rest in
        *'"src":'*) rest=${rest#*'"src":'} ;;
        *'"source":'*) rest=${rest#*'"source":'} ;;
        *) return ;;
        esac
        count=$((count + 1))
    done
}

while IFS= read -r request; do
    case $request in
    'INIT {'*) time=timestamp_us type=event_type dst=destination ;; # dialect service
    'INIT '*) time=time_us type=type dst=dst ;;                     # dialect node
    'ADVANCE '*)
        target=${request#ADVANCE }
        IFS= read -r messages || exit 0
        count_messages "$messages"
        answer=
        while [ "$next" -lt "$target" ]; do
            event="{\"$time\":$next,\"$type\":\"COUNT\",\"$dst\":null,\"payload\":{\"messages\":$count}}"
            answer="$answer${answer:+,}$event"
            next=$((next + second))
        done
        printf 'DONE {"next_us":%d}\n[%s]\n' "$next" "$answer"
        continue
        ;;
    SHUTDOWN) exit 0 ;;
    *)
        printf 'ERROR unknown request\n'
        exit 1
        ;;
    esac
    printf 'READY {"next_us":%d}\n' "$next"
done
