# Assembles the page and writes it as C:
#
#     cmake -DSOURCE=FOLDER -DSCRIPTS=A,B,... -DOUTPUT=FILE.c -P embed.cmake
#
# page.html has the placeholders {{style}}, {{script}}, their hashes for the Content Security
# Policy, and {{data}}, where the page is cut in two: the contents of a snapshot go in between.
cmake_minimum_required(VERSION 3.25)

# Sets `ret` to the hash of a text in base64, as a Content Security Policy requires it. CMake
# itself writes hashes only as hexadecimal digits.
function(base64_hash text ret)
	set(alphabet ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/)
	string(SHA256 digits "${text}")
	set(encoded "")
	# Three hexadecimal digits are 12 bits, which are two characters. The 64 digits and two
	# added zeros are 22 times three digits.
	foreach(at RANGE 0 63 3)
		string(SUBSTRING "${digits}00" ${at} 3 three)
		math(EXPR high "0x${three} >> 6")
		math(EXPR low "0x${three} & 63")
		string(SUBSTRING ${alphabet} ${high} 1 first)
		string(SUBSTRING ${alphabet} ${low} 1 second)
		string(APPEND encoded "${first}${second}")
	endforeach()
	string(SUBSTRING "${encoded}" 0 43 encoded)
	set(${ret} "sha256-${encoded}=" PARENT_SCOPE)
endfunction()

function(as_array name text ret)
	string(HEX "${text}" digits)
	string(REGEX REPLACE "(................................)" "\\1\n\t" digits "${digits}")
	string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," digits "${digits}")
	string(CONCAT array
		"const unsigned char ${name}[] = {\n\t${digits}\n};\n"
		"const size_t ${name}_size = sizeof(${name});\n")
	set(${ret} "${array}" PARENT_SCOPE)
endfunction()

file(READ "${SOURCE}/page.html" page)
file(READ "${SOURCE}/page.css" style)
set(script "")
string(REPLACE "," ";" SCRIPTS "${SCRIPTS}")
foreach(name IN LISTS SCRIPTS)
	file(READ "${SOURCE}/${name}" piece)
	string(APPEND script "${piece}")
endforeach()
# A script or style with one of these would end its element too early.
if(script MATCHES "</script|<!--" OR style MATCHES "</style")
	message(FATAL_ERROR "the page's script and style must not hold their own end")
endif()
base64_hash("${style}" style_hash)
base64_hash("${script}" script_hash)
foreach(name style_hash script_hash style script)
	string(REPLACE "{{${name}}}" "${${name}}" page "${page}")
endforeach()
string(FIND "${page}" "{{data}}" cut)
string(SUBSTRING "${page}" 0 ${cut} head)
math(EXPR behind "${cut} + 8")
string(SUBSTRING "${page}" ${behind} -1 tail)
as_array(frec__html_head "${head}" head)
as_array(frec__html_tail "${tail}" tail)
file(WRITE "${OUTPUT}"
	"// Made by embed.cmake.\n#include \"export/html/pieces.h\"\n\n${head}\n${tail}")
