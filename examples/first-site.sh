#!/bin/sh
# A first site: the home directories every night, encrypted, on a disk of its own.
# Usage: first-site.sh STORE-DIRECTORY SOURCE-DIRECTORY RESTORE-DIRECTORY
set -eu
store=$1 source=$2 back=$3

# The site: catalog, this machine as client, media pool DISK with one data store.
sm_setup init --zone Europe/Berlin --store "$store"

# A key. Keep a copy of the file that it names outside of this machine: without it
# nobody, and that includes you, can read what is encrypted to it.
sm_setup key add office
recipient=$(sm_setup key show office --format csv | tail -1 | cut -d, -f2)

# What is backed up, and what is left out.
sm_task add home --source "$source" --exclude '**/.cache/' --exclude '*.tmp' \
    --exclude-caches --recipient "$recipient"

# The backup. Exit code 3 says: done, with warnings; they are in the job log.
sm_backup start home || [ $? = 3 ]
sm_backup list
sm_backup verify --all

# The way back, into a directory beside the original.
sm_restore start --task home --target "$back"
sm_job list
