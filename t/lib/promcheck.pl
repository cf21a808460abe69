#!/usr/bin/perl

# Copyright (C) the mntreamer authors

# Checks Prometheus text format 0.0.4 and the naming rules that promtool
# applies.  As a program: reads stdin or files, prints what is wrong, exits 1.
# From a test: require "promcheck.pl"; @errors = promcheck($text).

use strict;
use warnings;


sub promcheck {
    my ($text) = @_;

    my (@errors, %type, %help, %seen, %hist, $family, %closed);
    my $number = qr/[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]Inf|NaN/;
    my $line = 0;

    push @errors, "the text is empty" if $text eq '';
    push @errors, "the last line has no end" if $text ne '' && $text !~ /\n\z/;

    for (split /\n/, $text) {
        $line++;

        if (/^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/) {
            push @errors, "line $line: second HELP of $1" if $help{$1}++;
            next;
        }

        if (/^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (\w+)$/) {
            my ($name, $type) = ($1, $2);

            push @errors, "line $line: second TYPE of $name" if $type{$name};
            push @errors, "line $line: $name has no HELP" if !$help{$name};
            push @errors, "line $line: unknown type $type"
                if $type !~ /^(?:counter|gauge|histogram|summary|untyped)$/;
            push @errors, "line $line: counter $name without _total"
                if $type eq 'counter' && $name !~ /_total$/;
            push @errors, "line $line: $type $name with _total"
                if $type ne 'counter' && $name =~ /_total$/;
            push @errors, "line $line: $name is not in base units"
                if $name =~ /(?:^|_)(?:ms|milliseconds|us|microseconds|minutes
                             |hours|days|kb|mb|kilobytes|megabytes|percent)
                             (?:_|$)/x;
            push @errors, "line $line: reserved suffix in $name"
                if $name =~ /_(?:bucket|sum|count)$/;

            $type{$name} = $type;
            next;
        }

        next if /^#/;

        if (!/^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ($number)$/) {
            push @errors, "line $line: not a sample: $_";
            next;
        }

        my ($name, $labels, $value) = ($1, $2 // '', $3);
        my $base = $name;

        if (!$type{$base}) {
            $base =~ s/_(?:bucket|sum|count)$//;

            if (($type{$base} // '') ne 'histogram') {
                push @errors, "line $line: $name has no TYPE";
                next;
            }
        }

        if (!defined $family || $family ne $base) {
            push @errors, "line $line: samples of $base are not together"
                if $closed{$base}++;
            $family = $base;
        }

        push @errors, "line $line: $name\{$labels\} twice"
            if $seen{"$name\{$labels\}"}++;

        my %label;
        my $rest = $labels;

        while ($rest =~ s/^([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)//) {
            push @errors, "line $line: label $1 twice" if exists $label{$1};
            $label{$1} = $2;
        }

        push @errors, "line $line: bad labels {$labels}" if $rest ne '';
        push @errors, "line $line: negative $type{$base}"
            if $type{$base} ne 'gauge' && $value =~ /^-/;

        next if $type{$base} ne 'histogram';

        my $le = delete $label{le};
        my $key = join ',', $base, map { "$_=$label{$_}" } sort keys %label;
        my $h = $hist{$key} ||= { le => undef, n => 0 };

        if ($name =~ /_bucket$/) {
            if (!defined $le) {
                push @errors, "line $line: bucket without le";
                next;
            }

            push @errors, "line $line: le does not rise"
                if defined $h->{le} && $le ne '+Inf' && $le <= $h->{le};
            push @errors, "line $line: bucket count falls" if $value < $h->{n};
            $h->{n} = $value;
            $le eq '+Inf' ? $h->{inf} = $value : ($h->{le} = $le);

        } elsif ($name =~ /_count$/) {
            $h->{count} = $value;

        } elsif ($name =~ /_sum$/) {
            $h->{sum} = $value;
        }
    }

    for my $key (sort keys %hist) {
        my $h = $hist{$key};

        push @errors, "$key: no +Inf bucket" if !defined $h->{inf};
        push @errors, "$key: no _sum" if !defined $h->{sum};
        push @errors, "$key: _count is not the +Inf bucket"
            if !defined $h->{count}
               || (defined $h->{inf} && $h->{count} != $h->{inf});
    }

    for my $name (sort keys %help) {
        push @errors, "$name has HELP but no TYPE" if !$type{$name};
    }

    return @errors;
}


if (!caller) {
    my @errors = promcheck(do { local $/; <> // '' });

    print "$_\n" for @errors;
    exit(@errors ? 1 : 0);
}

1;
