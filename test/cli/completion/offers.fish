# offers.fish SCRIPT LINE: what fish offers, one a line
source $argv[1]
complete -C $argv[2] | string replace -r '\t.*' ''
