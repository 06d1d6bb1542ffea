# SPDX-License-Identifier: MIT
# Completion of flightrec for fish, which asks `flightrec complete` for candidates.

function __flightrec_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l current (commandline -ct)
    for line in ($words[1] complete $words[2..] 2>/dev/null)
        switch $line
            case :commands
                complete -C (commandline -ct)
            case :folders
                __fish_complete_directories $current
            case :files
                __fish_complete_path $current
            case ':files *'
                __fish_complete_suffix $current (string replace ':files ' '' -- $line)
            case '*'
                echo $line
        end
    end
end

complete -c flightrec -f -a '(__flightrec_complete)'
