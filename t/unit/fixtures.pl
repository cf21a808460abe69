#!/usr/bin/perl

# Runs mnt-hls over playlists and compares every field that their index says
# must be found.  "fixtures.pl FOLDER" takes the index.json of that folder;
# without arguments the shared ones are taken: MNT_FIXTURES names the folder
# with hls/ and chzzk/.  MNT_HLS names the program.

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Spec;
use JSON::PP;

my $top = File::Spec->rel2abs(dirname(__FILE__)) . '/../..';
my $fixtures = $ENV{MNT_FIXTURES} || "$top/../shared/fixtures";
my $program = $ENV{MNT_HLS} || "$top/build/mnt-hls";

my @cases = cases();

if (!@cases) {
    print "1..0 # SKIP no fixtures (set MNT_FIXTURES)\n";
    exit 0;
}

printf "1..%d\n", scalar @cases;

my $failed = 0;
my $i = 0;

for my $case (@cases) {
    my @wrong = check($case);

    printf "%s %d - %s: %s\n", @wrong ? 'not ok' : 'ok', ++$i, $case->{name},
           $case->{verdict};
    print "# $_\n" for @wrong;

    $failed++ if @wrong;
}

exit($failed ? 1 : 0);


sub cases {
    my @list;

    for my $folder (@ARGV ? @ARGV : ("$fixtures/hls", "$fixtures/chzzk")) {
        my $index = "$folder/index.json";
        next unless -e $index;

        for my $entry (@{ load($index)->{entries} }) {
            my $expect = $folder =~ /chzzk$/ ? $entry->{playlist}
                                             : $entry->{expect};
            next unless defined $expect;

            push @list, {
                name    => $entry->{file},
                file    => "$folder/$entry->{file}",
                verdict => $entry->{verdict} || 'accept',
                kind    => $entry->{kind},
                expect  => $expect,
            };
        }
    }

    return @list;
}


sub load {
    my ($file) = @_;

    open my $in, '<:raw', $file or die "$file: $!\n";
    local $/;
    return JSON::PP->new->utf8->decode(scalar <$in>);
}


sub check {
    my ($case) = @_;

    my $errors = File::Spec->tmpdir . "/mnt-hls.$$";
    my $out = do {
        open my $save, '>&', \*STDERR or die "$!\n";
        open STDERR, '>', $errors or die "$errors: $!\n";
        open my $pipe, '-|', $program, $case->{file} or die "$program: $!\n";
        local $/;
        my $text = <$pipe>;
        close $pipe;
        open STDERR, '>&', $save or die "$!\n";
        $text;
    };
    my $status = $? >> 8;
    my $signal = $? & 127;

    open my $in, '<', $errors or die "$errors: $!\n";
    my @reason = <$in>;
    close $in;
    unlink $errors;

    return "ended by signal $signal" if $signal;

    if ($status == 1 && $case->{verdict} ne 'accept') {
        return @reason == 1 ? () : 'the reason is not one line: ' . "@reason";
    }

    return "exit status $status: @reason" if $status;
    return 'was read, must be refused' if $case->{verdict} eq 'reject';

    my $got = JSON::PP->new->utf8->decode($out);
    my @wrong = compare('', $case->{expect}, $got);

    push @wrong, "kind is $got->{kind}"
        if defined $case->{kind} && $case->{kind} ne $got->{kind};

    return @wrong;
}


# every field of the expectation; more may have been found

sub compare {
    my ($path, $want, $got) = @_;

    if (!defined $want) {
        return defined $got ? "$path: got $got, not null" : ();
    }

    return "$path: is missing" if !defined $got;

    if (ref $want eq 'HASH') {
        return "$path: is no object" if ref $got ne 'HASH';
        return map {
            exists $got->{$_} || !defined $want->{$_}
                ? compare("$path.$_", $want->{$_}, $got->{$_})
                : "$path.$_: is missing"
        } sort keys %$want;
    }

    if (ref $want eq 'ARRAY') {
        return "$path: has " . @$got . ' entries, not ' . @$want
            if @$got != @$want;

        my @w = ordered($path, $want);
        my @g = ordered($path, $got);

        return map { compare("$path\[$_]", $w[$_], $g[$_]) } 0 .. $#w;
    }

    if (JSON::PP::is_bool($want)) {
        return "$path: got $got, not $want" if !!$want != !!$got;
        return ();
    }

    if ("$want" =~ /^-?\d+(?:\.\d+)?$/ && "$got" =~ /^-?\d+(?:\.\d+)?$/) {
        return abs($want - $got) <= 0.001 ? () : "$path: got $got, not $want";
    }

    return "$want" eq "$got" ? () : "$path: got $got, not $want";
}


# the order of the runs of keys does not matter

sub ordered {
    my ($path, $list) = @_;

    return @$list if $path !~ /\.keys$/;
    return sort {
        $a->{from_segment} <=> $b->{from_segment}
            || $a->{keyformat} cmp $b->{keyformat}
    } @$list;
}
