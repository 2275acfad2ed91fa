"""`kpy completion bash|zsh|fish`: scripts that ask `kpy __complete` what may follow (see `complete`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minikube_py.cli.call import Call

BASH = r"""# bash completion for kpy                                 -*- shell-script -*-

_kpy_complete()
{
    local current="${COMP_WORDS[COMP_CWORD]}" line candidates=() directive=0
    # Bash cuts words at '=' and ':'; the words are read again from the line itself.
    local words
    read -r -a words <<< "${COMP_LINE:0:COMP_POINT}"
    [[ "${COMP_LINE:COMP_POINT-1:1}" == " " ]] && words+=("")
    local last="${words[${#words[@]}-1]}"
    while IFS= read -r line; do
        if [[ "$line" == :* ]]; then
            directive="${line#:}"
        else
            candidates+=("${line%%$'\t'*}")
        fi
    done < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
    COMPREPLY=()
    if (( directive & 8 )); then
        local extension IFS=$'\n'
        for extension in "${candidates[@]}"; do
            COMPREPLY+=($(compgen -f -X "!*.${extension}" -- "$current"))
        done
        COMPREPLY+=($(compgen -d -- "$current"))
        compopt -o filenames 2>/dev/null
        return
    fi
    # What stands before the last '=' or ':' is no part of the word for bash.
    local cut="${last%"$current"}" candidate
    for candidate in "${candidates[@]}"; do
        [[ "$candidate" == "$last"* || "$candidate" == "$current"* ]] || continue
        COMPREPLY+=("${candidate#"$cut"}")
    done
    (( directive & 2 )) && compopt -o nospace 2>/dev/null
    if (( ${#COMPREPLY[@]} == 0 && !(directive & 4) )); then
        compopt -o default 2>/dev/null
    fi
}

complete -F _kpy_complete kpy
"""

ZSH = r"""#compdef kpy
compdef _kpy kpy

# zsh completion for kpy                                  -*- shell-script -*-

_kpy()
{
    local line directive=0 tab=$'\t'
    local -a candidates asked
    asked=("${(@)words[1,CURRENT]}")
    while IFS= read -r line; do
        if [[ "$line" == :* ]]; then
            directive="${line#:}"
        else
            line="${line//:/\\:}"
            candidates+=("${line/$tab/:}")
        fi
    done < <("${(Q)asked[1]}" __complete "${(@Q)asked[2,-1]}" 2>/dev/null)
    if (( directive & 8 )); then
        _files -g "*.(${(j:|:)candidates})"
        return
    fi
    local -a options
    (( directive & 2 )) && options=(-S '')
    if (( ${#candidates} )); then
        _describe -V 'completions' candidates "${options[@]}"
    elif (( !(directive & 4) )); then
        _files
    fi
}

# When this file is sourced and not autoloaded, nothing is to be completed yet.
if [ "$funcstack[1]" = "_kpy" ]; then
    _kpy
fi
"""

FISH = r"""# fish completion for kpy                                 -*- shell-script -*-

function __kpy_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines ($words[1] __complete $words[2..-1] $current 2>/dev/null)
    set -l directive (string replace ':' '' -- $lines[-1])
    set -e lines[-1]
    if test (math "bitand($directive, 8)") -ne 0
        __fish_complete_path $current
        return
    end
    # Fish wants the whole word, also behind '--flag='.
    set -l head (string match -r -- '^-.*=' $current)
    for line in $lines
        echo $head$line
    end
    if test (count $lines) -eq 0; and test (math "bitand($directive, 4)") -eq 0
        __fish_complete_path $current
    end
end

complete -c kpy -e
complete -c kpy -f -a '(__kpy_complete)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def run(call: Call) -> None:
    if not call.args:
        raise call.usage("Shell not specified.")
    if len(call.args) > 1:
        raise call.usage("Too many arguments. Expected only the shell type.")
    if call.args[0] not in SCRIPTS:
        raise call.usage(f'Unsupported shell type "{call.args[0]}".')
    call.say(SCRIPTS[call.args[0]])
