#!/usr/bin/env bash
# robfig/cron, which Kubernetes parses schedules of CronJobs with: it takes what is no cron, and refuses 7 for Sunday.
#
# One would guess: a field is checked as crontab(5) describes it, so *-7 and +5 are errors and weekday 7 is Sunday, as
# 0 is.
# What happens: *-7 is read as *, whatever follows the hyphen, even *-abc; +5 as 5; ? as * in every field; ,5, as 5.
# Weekday 7 is above the maximum. Its documentation tells of ? and of 0-6 only.
# Why it matters: a typing mistake is no error but runs every minute, and a check of one's own by another library or
# by crontab(5) disagrees both ways with what the cluster does.
#
# https://github.com/robfig/cron/issues/122
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
