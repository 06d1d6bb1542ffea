# SPDX-License-Identifier: MIT
# Completion of flightrec for bash, which asks `flightrec complete` for candidates.

_flightrec()
{
	local line word kind lead='' current=${COMP_WORDS[COMP_CWORD]}
	local -a words

	# bash splits words at colons and equals signs, and replaces only what follows the last one.
	read -ra words <<<"${COMP_LINE:0:COMP_POINT}"
	[[ ${COMP_LINE:0:COMP_POINT} != *[[:space:]] ]] || words+=('')
	word=${words[-1]}
	[[ $current != [:=] ]] || current=
	[[ $word != *"$current" ]] || lead=${word%"$current"}
	COMPREPLY=()
	while IFS= read -r line; do
		kind=${line#:files }
		case $line in
		:commands)
			mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -c -- "$current")
			;;
		:folders)
			compopt -o filenames 2>/dev/null
			mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$current")
			;;
		:files)
			compopt -o filenames 2>/dev/null
			mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current")
			;;
		:files\ *)
			compopt -o filenames 2>/dev/null
			mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(
				compgen -f -X "!*$kind" -- "$current"
				compgen -d -- "$current"
			)
			;;
		*) COMPREPLY+=("${line#"$lead"}") ;;
		esac
	done < <("${words[0]}" complete "${words[@]:1}" 2>/dev/null)
}

complete -F _flightrec flightrec
