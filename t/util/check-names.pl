#!/usr/bin/perl

# Copyright (C) the mntreamer authors

# usage: check-names.pl MODULE-DIRECTORY DOCUMENT...
#
# What documents call by name in backquotes must be there: functions of the
# module and of its SQL, files below the module's directory, in the short
# forms docs/architecture.md explains, and metrics, with their label.

use strict;
use warnings;

my ($dir, @documents) = @ARGV;
my $found = 0;

sub slurp {
    open my $fh, '<', $_[0] or die "$_[0]: $!\n";
    local $/;
    return scalar <$fh>;
}


my @files = map { s{^\Q$dir\E/}{}r }
    glob("$dir/*.[ch] $dir/*/*.[ch] $dir/*.map");
my $code = join "\n", map { slurp($_) } map { "$dir/$_" } @files;

$code .= join "\n", map { slurp($_) } glob("$dir/../conf/sql/*.sql");

die "check-names: no source below $dir\n" unless @files;


# "monitor/_probe.c", "_probe.c", "loop/ngx_mntreamer_curl*.c", "mnt_hls.h"

sub file_is_there {
    my ($name) = @_;
    my ($room, $base) = $name =~ m{^(?:(\w+)/)?(.+)$};

    my $pattern = join '\w*', map { quotemeta } split /\*/, $base, -1;

    $pattern = "\\w+$pattern" if $base =~ /^_/;
    $pattern = defined $room ? "$room/$pattern" : "(?:\\w+/)?$pattern";

    return grep { /^$pattern$/ } @files;
}


for my $document (@documents) {
    my $n = 0;
    my $fenced = 0;

    for my $line (split /\n/, slurp($document)) {
        $n++;
        $fenced = !$fenced if $line =~ /^\s*```/;
        next if $fenced;

        while ($line =~ /`([^`]+)`/g) {
            my $name = $1;
            my $there = 1;

            if ($name =~ /^(\w*_)?(\w+)\(\)$/ && $name =~ /^(ngx|mnt)/) {
                my $function = $name =~ s/\(\)$//r;
                $there = $code =~ /\b\Q$function\E\s*\(/;

            } elsif ($name =~ /^\.\.\.(_\w+)\(\)$/) {
                my $end = $1;
                $there = $code =~ /\w\Q$end\E\s*\(/;

            } elsif ($name =~ /^mntreamer_(\w+_(?:total|seconds|bytes|up))
                               (?:\{(\w+)\})?$/x)
            {
                my ($metric, $label) = ($1, $2);
                $there = $code =~ /\{ "$metric", ([^{}]*) \}/
                         && (!defined $label || $1 =~ /"$label"/);

            } elsif ($name =~ m{^(?:\w+/)?(?:_|mnt_|ngx_)[\w*]*\.[ch]$}) {
                $there = file_is_there($name);
            }

            next if $there;

            print "$document:$n: there is no \"$name\"\n";
            $found = 1;
        }
    }
}

exit $found;
