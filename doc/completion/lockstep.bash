# bash completion for lockstep

_lockstep_check_node()
{
    local options="--config --message --type --transport --port --dialect --timeout --verbose --help --"
    case $2 in
        --transport) mapfile -t COMPREPLY < <(compgen -W "stdio tcp unix" -- "$1") ;;
        --dialect) mapfile -t COMPREPLY < <(compgen -W "node service" -- "$1") ;;
        --port | --timeout | --type) ;;
        --config | --message)
            if [[ $1 == @* ]]; then
                compopt -o filenames 2>/dev/null
                mapfile -t COMPREPLY < <(compgen -f -P @ -- "${1#@}")
            fi
            ;;
        *)
            if [[ $1 == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$options" -- "$1")
            else
                compopt -o filenames 2>/dev/null
                mapfile -t COMPREPLY < <(compgen -f -- "$1")
            fi
            ;;
    esac
}

_lockstep()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local options="--batch --dry-run --run --seed --duration --quantum --set --until --break --at --out --pace --no-skip --json
        --junit --verbose --quiet --no-color --ascii --keys --size --help --version"
    COMPREPLY=()
    if [[ ${COMP_WORDS[1]} == diff ]]; then
        options="--json --no-color --help"
    elif [[ ${COMP_WORDS[1]} == verify ]]; then
        options="--runs --seed --duration --quantum --set --until --pace --quiet --no-color --help"
    fi
    if [[ ${COMP_WORDS[1]} == @(replay|diff) && COMP_CWORD -gt 1 && $word != -* && $before != --* ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
        return
    fi
    if [[ ${COMP_WORDS[1]} == check-node && COMP_CWORD -gt 1 ]]; then
        _lockstep_check_node "$word" "$before"
        return
    fi
    [[ ${COMP_WORDS[1]} == verify && $before == -n ]] && return
    case $before in
        --seed | -s | --duration | -d | --quantum | --set | -S | --until | -u | --break | --at | --pace | --runs)
            return
            ;;
        --size)
            mapfile -t COMPREPLY < <(compgen -W "80x24 120x36 200x60" -- "$word")
            return
            ;;
        --out | -o)
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -d -- "$word")
            return
            ;;
        --keys | --junit)
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            return
            ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
        return
    fi
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -d -- "$word"; compgen -f -X '!*.yaml' -- "$word"; compgen -f -X '!*.yml' -- "$word"
        ((COMP_CWORD == 1)) && compgen -W "check-node clean diff replay verify" -- "$word")
}

complete -F _lockstep lockstep
