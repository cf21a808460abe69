#!/usr/bin/perl

# Copyright (C) the mntreamer authors

# usage: style.pl FILE...
#
# What docs/style.md says of C, as far as a line tells.  Each finding is a
# line; the exit code tells whether there was one.

use strict;
use warnings;

my $WIDTH = 79;
my $FUNCTION = 100;
my $FILE = 900;

my $found = 0;

sub wrong {
    my ($file, $line, $what) = @_;
    print "$file:$line: $what\n";
    $found = 1;
}


# text without comments and literals; lines stay where they are

sub bare {
    my ($text) = @_;

    $text =~ s{ ( /\* .*? \*/ | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' ) }
              { (my $s = $1) =~ s/[^\n]/ /g; $s }gsex;
    return $text;
}


# calls that only some files may make

my @RESERVED = (
    [ qr/\b(?:rename|renameat2?|ngx_rename_file)\s*\(/, qr{/storage/},
      'only storage renames files' ],
    [ qr/\bcurl_\w+\s*\(/, qr{/loop/ngx_mntreamer_curl\w*\.[ch]$},
      'only loop/ngx_mntreamer_curl* calls libcurl' ],
    [ qr/\bPQ[a-z]\w*\s*\(/, qr{/loop/ngx_mntreamer_pq\w*\.[ch]$},
      'only loop/ngx_mntreamer_pq* calls libpq' ],
);

my $FORBIDDEN = qr/\b(strcpy|strcat|sprintf|vsprintf|gets|system|popen|strtok
                     |alloca)\s*\(/x;


sub check_lines {
    my ($file, $text) = @_;
    my $n = 0;

    for my $line (split /\n/, $text, -1) {
        $n++;
        my $shown = $line;
        utf8::decode($shown);

        wrong($file, $n, 'is longer than 79 columns')
            if length($shown) > $WIDTH;
        wrong($file, $n, 'has a tab') if $line =~ /\t/;
        wrong($file, $n, 'has a carriage return') if $line =~ /\r/;
        wrong($file, $n, 'ends in a space') if $line =~ / $/;
        wrong($file, $n, 'is a TODO without the number of an issue')
            if $line =~ /\b(?:TODO|FIXME|XXX)\b(?!\s*\(?#\d)/;
    }

    wrong($file, $n, "passes $FILE lines")
        if $n - 1 > $FILE && $file =~ /ngx_mntreamer_module/;
    wrong($file, $n, 'does not end in a newline') if $text !~ /\n\z/;
}


sub check_code {
    my ($file, $text) = @_;
    my $n = 0;
    my $start;
    my $before = '';

    for my $line (split /\n/, bare($text)) {
        $n++;

        wrong($file, $n, 'has a // comment') if $line =~ m{//};
        wrong($file, $n, 'is dead code') if $line =~ /^\s*#\s*if\s+0\b/;
        wrong($file, $n, "calls $1") if $line =~ $FORBIDDEN;

        wrong($file, $n, 'has no braces')
            if $line =~ /^\s*(?:if|for|while)\s*\(.*\)\s*[^\s{\\&|].*;\s*$/
               && balanced($line) && $line !~ /\)\s*;\s*$/;

        for my $r (@RESERVED) {
            wrong($file, $n, $r->[2])
                if $line =~ $r->[0] && "/$file" !~ $r->[1]
                   && $file =~ /ngx_mntreamer_module/;
        }

        # a function's body is between braces in the first column; a table's is
        # not after a list of parameters

        if ($line =~ /^\{/ && $before =~ /\)\s*$/) {
            $start = $n;
        }

        if ($line =~ /^\}/ && defined $start) {
            wrong($file, $start, 'is a function of '
                  . ($n - $start + 1) . ' lines')
                if $n - $start + 1 > $FUNCTION
                   && $file =~ /ngx_mntreamer_module/;
            undef $start;
        }

        wrong($file, $n, 'has the brace of a function on the wrong line')
            if $line =~ /^[a-z]\w*.*\)\s*\{\s*$/ && $line !~ /^(?:extern|typedef)/;

        $before = $line if $line =~ /\S/;
    }
}


# the condition ends on the line it began on, and something follows it

sub balanced {
    my ($line) = @_;
    my $depth = 0;

    $line =~ /^\s*\w+\s*/g;

    while ($line =~ /\G([^()]*)([()])/gc) {
        $depth += $2 eq '(' ? 1 : -1;
        return $line =~ /\G\s*\S/gc if $depth == 0;
    }

    return 0;
}


for my $file (@ARGV) {
    open my $fh, '<:raw', $file or die "$file: $!\n";
    my $text = do { local $/; <$fh> };
    close $fh;

    check_lines($file, $text);
    check_code($file, $text);
}

exit $found;
