#!/usr/bin/env bash
# Behaviour: The parser that Kubernetes uses for schedules of CronJobs accepts fields that are no cron, and refuses
#   weekday 7.
# Package: github.com/robfig/cron/v3
# Version: v3.0.1
# Date: 2026-11-29
# Expected: The parser checks a field as crontab(5) describes it. *-7 and +5 are errors, and weekday 7 is Sunday, as 0
#   is.
# Observed: The parser reads *-7 as *, whatever follows the hyphen, even *-abc. It reads +5 as 5, ? as * in every field,
#   and ,5, as 5. Weekday 7 is above the maximum. The documentation mentions only ? and the range 0-6.
# Consequence: A typing mistake is no error but a job that runs every minute. A check by another library or by
#   crontab(5) disagrees with the cluster in both directions.
# Output:
#   github.com/robfig/cron/v3 v3.0.1
#   *-7 * * * *    accepted, same as "* * * * *": true
#   *-abc * * * *  accepted, same as "* * * * *": true
#   +5 * * * *     accepted, same as "5 * * * *": true
#   ? * * * *      accepted, same as "* * * * *": true
#   ,5, * * * *    accepted, same as "5 * * * *": true
#   0 0 * * 7      refused: end of range (7) above maximum (6): 7
#   0 0 * * 5-7    refused: end of range (7) above maximum (6): 5-7
# See: https://github.com/robfig/cron/issues/122
set -eu
command -v go >/dev/null || { echo "skipped: this needs Go, and there is no go on PATH" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >main.go <<'END'
package main

import (
	"fmt"
	"os"
	"reflect"

	"github.com/robfig/cron/v3"
)

func main() {
	changed := false
	// What is given, and the plain form it is read as; none for what is refused.
	for _, each := range [][2]string{
		{"*-7 * * * *", "* * * * *"}, {"*-abc * * * *", "* * * * *"}, {"+5 * * * *", "5 * * * *"},
		{"? * * * *", "* * * * *"}, {",5, * * * *", "5 * * * *"}, {"0 0 * * 7", ""}, {"0 0 * * 5-7", ""},
	} {
		schedule, err := cron.ParseStandard(each[0])
		if err != nil {
			fmt.Printf("%-14s refused: %v\n", each[0], err)
			changed = changed || each[1] != ""
			continue
		}
		plain, _ := cron.ParseStandard(each[1])
		same := reflect.DeepEqual(schedule, plain)
		fmt.Printf("%-14s accepted, same as %q: %v\n", each[0], each[1], same)
		changed = changed || !same
	}
	if changed {
		fmt.Println("changed: one of these is read in another way")
		os.Exit(1)
	}
}
END
export GOFLAGS=-modcacherw
go mod init example >/dev/null 2>&1
go get github.com/robfig/cron/v3@v3.0.1 >/dev/null 2>&1 || { echo "robfig/cron v3.0.1 could not be had" >&2; exit 1; }
go list -m github.com/robfig/cron/v3
go run .
