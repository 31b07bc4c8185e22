# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Completion of rasctl for bash. What there is, is asked of rasctl itself.

# The help that belongs to the words so far.
_rasctl_help() {
    "${COMP_WORDS[0]}" "$@" --help 2>/dev/null </dev/null
}

_rasctl() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local command=() i words=''

    # bash takes --name=value apart.
    if [ "$word" = = ]; then
        word=''
    elif [ "$before" = = ]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --) return ;;
        -[qdcgt] | --qmp | --domain | --connect | --agent | --timeout)
            [ "${COMP_WORDS[i + 1]}" != = ] || i=$((i + 1))
            i=$((i + 1))
            ;;
        -* | =) ;;
        *)
            if [ ${#command[@]} = 0 ] || [ "${command[*]}" = inject ]; then
                command+=("${COMP_WORDS[i]}")
            fi
            ;;
        esac
    done

    case $before in
    -q | --qmp | -g | --agent) ;;
    -d | --domain) words=$(virsh list --name 2>/dev/null) ;;
    --*)
        words=$(_rasctl_help "${command[@]}" |
            sed -nE "s/^ +(-., )?$before=.*: ([a-z0-9|-]+)\$/\2/p" | tr '|' ' ')
        ;;
    esac
    if [ -z "$words" ]; then
        case "${command[*]}/$word" in
        */-*)
            words=$(_rasctl_help "${command[@]}" |
                sed -nE '/^Application/,/^$/s/^ +(-., )?(--[a-z0-9-]+).*/\2/p')
            ;;
        / | /[!.]*)
            [[ $before = -[qgct] ]] ||
                words=$(_rasctl_help | sed -nE '/^Commands/,/^$/s/^  ([a-z]+).*/\1/p')
            ;;
        inject/*)
            words=$(_rasctl_help inject | sed -nE '/^Kinds/,/^$/s/^  ([a-z-]+).*/\1/p')
            ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -o default -F _rasctl rasctl
