# Tab completion of `continuo` for bash. Commands and options come from the program itself; nodes, parameters, types and devices from
# the daemon, if one answers within a blink.
_continuo() {
  local cur prev words cword
  if declare -F _get_comp_words_by_ref >/dev/null; then
    _get_comp_words_by_ref -n =: cur prev words cword
  else
    cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
  fi
  COMPREPLY=()

  # The words that are neither options nor the server's address; the address goes along with each question.
  local ask=(continuo) path=() i
  for ((i = 1; i < cword; i++)); do
    case ${words[i]} in
      --server) ask+=(--server "${words[i + 1]-}"); i=$((i + 1)) ;;
      --server=*) ask+=("${words[i]}") ;;
      --tls | --token-file) ask+=("${words[i]}" "${words[i + 1]-}"); i=$((i + 1)) ;;
      -*) ;;
      *) path+=("${words[i]}") ;;
    esac
  done

  case $prev in
    --server | --timeout | --at | --for | --until | --split-every | --format | --pre-record | --ramp | --gain | --pan | --label | --map | --rate | --buffer | --level | --name | --host-api | --note | --lease | --decay | --hold | --silence | --channel | --fft-size | --average) return ;;
    --file | -o | --output | --tls | --token-file) _continuo_files; return ;;
    --expect | --after) _continuo_ask cues; return ;;
    --before) if [[ ${path[0]-} == cue ]]; then _continuo_ask cues; else _continuo_ask nodes; fi; return ;;
    --player | --node) _continuo_ask nodes; return ;;
    --kind) [[ ${path[0]-} != meters ]] || _continuo_kinds; return ;;
    --window) COMPREPLY=($(compgen -W "hann blackman-harris flat-top rectangular" -- "$cur")); return ;;
  esac
  if [[ $cur == -* ]]; then
    case ${path[0]-} in
      render | measure | compare) _continuo_offline "${path[0]}" ;;
      *) _continuo_ask words "${path[@]}" ;;
    esac
    return
  fi

  case ${path[0]-} in
    set | get | automate) [[ $cur == *=* ]] || _continuo_params ;;
    params | remove | connect | disconnect | meters | spectrum | why | arm) _continuo_ask nodes ;;
    add) case ${#path[@]} in 1) _continuo_ask nodes / ;; 2) _continuo_ask types ;; *) _continuo_files ;; esac ;;
    render) if [[ " ${words[*]} " == *" --on-server "* ]]; then _continuo_media; else _continuo_files; fi ;;
    play | edit | compare | measure) _continuo_files ;;
    session)
      case ${path[1]-} in
        "") _continuo_ask words session ;;
        from | load | save | check) _continuo_files ;;
      esac ;;
    record) if [[ -z ${path[1]-} ]]; then _continuo_ask words record; else _continuo_ask nodes; fi ;;
    media)
      case ${path[1]-} in
        "") _continuo_ask words media ;;
        put) if [[ -z ${path[2]-} ]]; then _continuo_files; else _continuo_media; fi ;;
        get) if [[ -z ${path[2]-} ]]; then _continuo_media; else _continuo_files; fi ;;
        *) _continuo_media ;;
      esac ;;
    loudness)
      case ${path[1]-} in
        "") _continuo_ask words loudness ;;
        reset | stop) _continuo_ask measurements ;;
      esac ;;
    device) if [[ -z ${path[1]-} ]]; then _continuo_ask words device; else _continuo_ask devices; fi ;;
    jobs)
      case ${path[1]-} in
        "") _continuo_ask words jobs ;;
        show | watch | cancel) _continuo_ask jobs ;;
      esac ;;
    track) [[ -n ${path[1]-} ]] || _continuo_ask words track ;;
    cue)
      case ${path[1]-} in
        "") _continuo_ask words cue ;;
        add | set) if [[ -z ${path[2]-} ]]; then _continuo_ask cues; else _continuo_files; fi ;;
        *) _continuo_ask cues ;;
      esac ;;
    go) _continuo_ask cues ;;
    lease)
      case ${path[1]-} in
        "") _continuo_ask words lease ;;
        take) _continuo_ask nodes ;;
      esac ;;
    api)
      case ${path[1]-} in
        "") _continuo_ask words api ;;
        export) _continuo_files ;;
      esac ;;
    "") _continuo_ask words ;;
  esac
}

# _continuo_ask WHAT [WORD...]: offers what the program answers; with the word "/" each gets a slash, for what goes below it.
_continuo_ask() {
  local what=$1 tail= line; shift
  if [[ ${1-} == / ]]; then tail=/; compopt -o nospace 2>/dev/null; shift; fi
  while IFS= read -r line; do
    # Options only where one was begun.
    [[ $what != words || $line != -* || $cur == -* ]] || continue
    [[ $line$tail == "$cur"* ]] && COMPREPLY+=("$(_continuo_quote "$line$tail")")
  done < <("${ask[@]}" __complete "$what" "$@" 2>/dev/null)
  declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$cur"
}

# Options of what another program does, continuo-render: its help names them, those for people first.
_continuo_offline() {
  COMPREPLY=($(compgen -W "$("${ask[0]}" "$1" --help 2>/dev/null |
    sed -nE '/^For programs/q; s/^ +(-[A-Za-z],)?(--[a-z-]+).*/\2/p')" -- "$cur"))
  if [[ $1 == render && --on-server == "$cur"* ]]; then COMPREPLY+=(--on-server); fi
}

# One after the other, with commas.
_continuo_kinds() {
  compopt -o nospace 2>/dev/null
  local begun= line
  [[ $cur != *,* ]] || begun=${cur%,*},
  while IFS= read -r line; do
    [[ $begun$line == "$cur"* && ,$begun != *",$line,"* ]] && COMPREPLY+=("$begun$line")
  done < <("${ask[@]}" __complete kinds 2>/dev/null)
}

# Root and folder step by step.
_continuo_media() {
  compopt -o nospace 2>/dev/null
  _continuo_ask media "$cur"
}

# A node and a dot first, then its parameters, then the equals sign.
_continuo_params() {
  compopt -o nospace 2>/dev/null
  local line
  if [[ $cur == *.* ]]; then
    while IFS= read -r line; do
      [[ $line == "$cur"* ]] || continue
      [[ ${path[0]} == set ]] && line+==
      COMPREPLY+=("$line")
    done < <("${ask[@]}" __complete params "$cur" 2>/dev/null)
  else
    while IFS= read -r line; do
      [[ $line == "$cur"* ]] && COMPREPLY+=("$line.")
    done < <("${ask[@]}" __complete nodes 2>/dev/null)
  fi
}

_continuo_quote() { case $1 in *[[:space:]]*) printf '%q' "$1" ;; *) printf '%s' "$1" ;; esac; }

_continuo_files() {
  compopt -o filenames 2>/dev/null
  local line
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$cur")
}

complete -F _continuo continuo
