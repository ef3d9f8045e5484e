import { type CompletedCommand, lastWord, type Value, withCommandsBelow } from './words.ts';

/** A script for bash, with or without the package bash-completion. */
export function bashCompletion(programs: readonly CompletedCommand[]): string {
  const commands = programs.flatMap(withCommandsBelow);
  const below = commands.filter((command) => command.commands.length > 0);
  return `# bash completion of ${programs.map(lastWord).join(', ')}; made by: edgewise completion bash

# Commands below the command $1.
_edgewise_commands() {
  case $1 in
${below.map((one) => `    ${quoted(one.path)}) echo ${quoted(one.commands.map(lastWord).join(' '))} ;;`).join('\n')}
  esac
}

# Options of the command $1.
_edgewise_options() {
  case $1 in
${commands.map((one) => `    ${quoted(one.path)}) echo ${quoted(one.options.flatMap(({ names }) => names).join(' '))} ;;`).join('\n')}
  esac
}

# What follows the option $2 of the command $1, if anything does.
_edgewise_value() {
  case "$1 $2" in
${commands.flatMap(optionValues).join('\n')}
  esac
}

# What the argument number $2, from 0, of the command $1 is.
_edgewise_argument() {
  case "$1 $2" in
${commands.flatMap((one) => one.values.map((value, i) => `    ${quoted(`${one.path} ${i}`)}) echo ${quoted(kindOf(value))} ;;`)).join('\n')}
  esac
}

_edgewise() {
  local cur=$2 prev=$3 cword=$COMP_CWORD words=("\${COMP_WORDS[@]}")
  # Addresses have colons, which bash splits words at.
  if declare -F _get_comp_words_by_ref >/dev/null; then
    _get_comp_words_by_ref -n := cur prev words cword
  fi
  local path=\${words[0]##*/} i=1 count=0 config= network= kind=
  while ((i < cword)) && [[ " $(_edgewise_commands "$path") " == *" \${words[i]} "* ]]; do
    path+=" \${words[i]}"
    ((i++))
  done
  for (( ; i < cword; i++)); do
    case \${words[i]} in
      -c | --config) config=\${words[i + 1]} ;;
      -A | --dnet) network=\${words[i + 1]} ;;
    esac
    if [[ \${words[i]} != -* ]]; then
      ((count++))
    elif [[ -n $(_edgewise_value "$path" "\${words[i]}") ]]; then
      ((i++))
    fi
  done
  COMPREPLY=()
  if ((cword > 1)); then kind=$(_edgewise_value "$path" "$prev"); fi
  if [[ -z $kind && $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$(_edgewise_options "$path")" -- "$cur"))
    return
  fi
  if [[ -z $kind ]]; then
    local commands=$(_edgewise_commands "$path")
    if [[ -n $commands ]]; then kind="words $commands"; else kind=$(_edgewise_argument "$path" "$count"); fi
  fi
  local name arguments=()
  case $kind in
    "words "*) COMPREPLY=($(compgen -W "\${kind#words }" -- "$cur")) ;;
    file | folder)
      local action=-f
      [[ $kind == folder ]] && action=-d
      compopt -o filenames
      while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen "$action" -- "$cur")
      ;;
    networks | edges)
      # Compared as they are: compgen -W would expand what somebody wrote into a list.
      [[ -n $config ]] && arguments+=(-c "$config")
      [[ -n $network ]] && arguments+=(-A "$network")
      while IFS= read -r name; do
        [[ $name == "$cur"* ]] && COMPREPLY+=("$name")
      done < <(edgewise completion "$kind" "\${arguments[@]}" 2>/dev/null)
      if declare -F __ltrim_colon_completions >/dev/null; then __ltrim_colon_completions "$cur"; fi
      ;;
  esac
}

complete -F _edgewise ${programs.map(lastWord).join(' ')}
`;
}

function optionValues({ path, options }: CompletedCommand): readonly string[] {
  return options
    .filter(({ value }) => value.kind !== 'none')
    .map(
      ({ names, value }) =>
        `    ${names.map((name) => quoted(`${path} ${name}`)).join(' | ')}) echo ${quoted(kindOf(value))} ;;`,
    );
}

function kindOf(value: Value): string {
  return value.kind === 'choices' ? `words ${value.choices.join(' ')}` : value.kind;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
