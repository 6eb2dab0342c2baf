# SPDX-License-Identifier: PostgreSQL
#
# SEE ALSO of a manual page in the order that mdoc(7) asks for, by section and name: pages that were
# renamed stand where their old names belonged.

function show(    i, j, held) {
	for (i = 2; i <= count; i++) {
		held = entry[i]
		for (j = i - 1; j > 0 && entry[j] > held; j--)
			entry[j + 1] = entry[j]
		entry[j + 1] = held
	}
	for (i = 1; i <= count; i++) {
		split(entry[i], part, " ")
		print ".Xr " part[2] " " part[1] (i < count ? " ," : "")
	}
	count = 0
}

/^\.Sh / { seeing = /SEE ALSO/ }
seeing && /^\.Xr / { entry[++count] = $3 " " $2; next }
{ show(); print }
END { show() }
