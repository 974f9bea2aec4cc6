# SPDX-License-Identifier: GPL-2.0-only
#
# Turns the console log of a test guest (its init runs the tests in it) into TAP
# without numbers: a line for each test, named after the run, with what was said
# during a failed one; and a line each for how the run and its kernel ended.
#
# Variables: run, the name of the run; status, how qemu-*.sh ended; programs, what
# init was told to run, separated by commas; splats, a regular expression of splats.h.

function result(ok, name)
{
	print (ok ? "ok" : "not ok") " - " run ": " name
}

function say_tail(nr)
{
	for (i = lines > nr ? lines - nr + 1 : 1; i <= lines; i++)
		print "# " line[i]
}

function end_program()
{
	if (program == "")
		return
	if (seen != plan || !plan) {
		result(0, program " gives a result for each of its tests")
		print "# " seen " results, plan " plan
		say_tail(40)
	}
	program = ""
}

BEGIN {
	nr_wanted = split(programs, wanted, ",")
	splats = splats "|^# kmsg lost"
}

{
	sub(/\r$/, "")
	line[++lines] = $0
}

$0 ~ splats && !/^(not )?ok / && nr_splats++ < 20 {
	splat_text = splat_text "# " $0 "\n"
	splat_until = lines + 40
	next
}

lines <= splat_until {
	splat_text = splat_text "# " $0 "\n"
}

/^# run / {
	end_program()
	program = $3
	if (program == wanted[programs_seen + 1])
		programs_seen++
	sub(/:.*/, "", program)
	plan = seen = 0
	next
}

/^# end / {
	end_program()
	next
}

/^# kmsg end/ {
	log_ended = 1
}

/^# all run/ {
	complete = 1
	next
}

/^1\.\.[0-9]+$/ {
	plan = substr($0, 4) + 0
	next
}

/^#  RUN / {
	start = lines
	next
}

/^(not )?ok [0-9]+ / {
	failed = $1 == "not"
	text = $0
	sub(/^(not )?ok [0-9]+ /, "", text)
	sub(/^global\./, "", text)
	seen++
	result(!failed, text)
	if (failed)
		say_tail(lines - start > 40 ? 40 : lines - start)
}

END {
	end_program()
	# Nothing to run is no success: init may not have got its parameters.
	complete = complete && status == 0 && nr_wanted && programs_seen == nr_wanted
	result(complete, "guest runs all tests and switches off")
	if (!complete) {
		print "# the machine ended with status " status
		print "# " programs_seen + 0 " of " nr_wanted " programs have run: " programs
		say_tail(40)
	}
	result(splat_text == "" && log_ended, "kernel log is clean")
	printf "%s", splat_text
	if (!log_ended)
		print "# its end is missing"
}
