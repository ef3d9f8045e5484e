# offers.zsh FOLDER LINE: what zsh offers, one a line
zmodload zsh/zpty || exit 3
zpty z zsh -f -i
zpty -w z "PROMPT= RPROMPT=; unsetopt zle_bracketed_paste 2>/dev/null; stty -echo; fpath=($1 \$fpath); autoload -U compinit; compinit -u -D; zmodload zsh/complist; zstyle ':completion:*' list-max 0; setopt no_beep no_always_last_prompt
compadd () { if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd \"\$@\"; return; fi; local -a hits; builtin compadd -A hits \"\$@\"; (( \$#hits )) && print -l -- '<'\${^hits}'>' ; builtin compadd \"\$@\" }
done-widget () { zle expand-or-complete; print '==end==' }; zle -N done-widget; bindkey '^I' done-widget; print '==ready=='"
local out all=
while zpty -r z out; do all+=$out; [[ $out == *'==ready=='* ]] && break; done
zpty -w -n z "$2"$'\t'
all=
while zpty -r z out; do all+=$out; [[ $out == *'==end=='* ]] && break; done
print -r -- "$all" | grep -o '<[^<>]*>' | tr -d '<>' | sort -u
