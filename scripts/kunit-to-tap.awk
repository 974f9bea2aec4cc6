# SPDX-License-Identifier: GPL-2.0-only
#
# Turns what a kernel prints while KUnit runs (KTAP, nested and among its messages)
# into TAP without numbers: a line for each test that has no tests in it, with what
# was said during a failed one; and a line each for whether all have run and for
# what else the kernel said.
#
# Variables: suites, those that have to run, separated by spaces; splats, a regular
# expression of splats.h.

function result(ok, name)
{
	print (ok ? "ok" : "not ok") " - kunit: " name
}

# What was said since the result before.
function say_since()
{
	for (i = lines - shown > 40 ? lines - 40 : shown + 1; i <= lines; i++)
		print "# " line[i]
}

function incomplete(what)
{
	missing = missing "# " what "\n"
}

# The test that is at @depth has ended. Return: whether it had tests in it.
function end_of_inner(depth, name)
{
	if (!(depth + 1 in inner))
		return 0
	if (!count[depth + 1] || (plan[depth + 1] != "" && plan[depth + 1] != count[depth + 1]))
		incomplete(name ": " count[depth + 1] + 0 " results, plan " \
			   (plan[depth + 1] == "" ? "none" : plan[depth + 1]))
	delete inner[depth + 1]
	return 1
}

{
	sub(/\r$/, "")
	sub(/^\[ *[0-9]+\.[0-9]+\] /, "")
	line[++lines] = $0
	match($0, /^ */)
	depth = int(RLENGTH / 4)
}

$0 ~ splats && !/^ *(not )?ok / && nr_splats++ < 20 {
	splat_text = splat_text "# " $0 "\n"
	splat_until = lines + 40
	next
}

lines <= splat_until {
	splat_text = splat_text "# " $0 "\n"
}

/^ *# Subtest: / {
	name[depth] = $0
	sub(/^ *# Subtest: /, "", name[depth])
	inner[depth] = 1
	count[depth] = 0
	plan[depth] = ""
	next
}

/^ *1\.\.[0-9]+$/ {
	plan[depth] = substr($1, 4) + 0
	next
}

/^ *(not )?ok [0-9]+ / {
	failed = $1 == "not"
	nr = failed ? $3 : $2
	text = $0
	sub(/^ *(not )?ok [0-9]+ (- )?/, "", text)
	if (nr != ++count[depth])
		incomplete(text ": is number " nr ", should be " count[depth])
	had_inner = end_of_inner(depth, text)
	if (!depth) {
		ran[text] = 1
		nr_suites++
	}
	path = ""
	for (i = 1; i <= depth; i++)
		path = path name[i] ": "
	# Outer ones count when nothing in them has failed, but they have.
	if (!had_inner || (failed && !nr_failed[depth + 1])) {
		result(!failed, path text)
		if (failed)
			say_since()
		shown = lines
	}
	nr_failed[depth + 1] = 0
	if (failed)
		nr_failed[depth]++
}

END {
	nr = split(suites, wanted, " ")
	for (i = 1; i <= nr; i++)
		if (!(wanted[i] in ran))
			incomplete(wanted[i] ": has not run")
	if (!nr || !nr_suites || plan[0] != nr_suites)
		incomplete(nr_suites + 0 " suites, plan " \
			   (plan[0] == "" ? "none" : plan[0]))
	result(missing == "", "all tests run")
	printf "%s", missing
	if (missing != "")
		say_since()
	result(splat_text == "", "kernel log is clean")
	printf "%s", splat_text
}
