#!/usr/bin/perl

# Copyright (C) the mntreamer authors

# usage: check-directives.pl DOCUMENT FILE.c...
#
# The tables of directives against docs/directives.md: every directive has its
# entry and every entry its directive, in the same contexts, with the same
# default where the code states one as a number.

use strict;
use warnings;

my %CONTEXT = (
    NGX_MAIN_CONF => 'main',
    NGX_MNTREAMER_MAIN_CONF => 'mntreamer',
    NGX_MNTREAMER_PLATFORM_CONF => 'platform',
    NGX_MNTREAMER_PUSHED_CONF => 'platform rtmp',
    NGX_HTTP_MAIN_CONF => 'http',
    NGX_HTTP_SRV_CONF => 'server',
    NGX_HTTP_LOC_CONF => 'location',
);

my %UNIT = (ms => 1, s => 1000, m => 60_000, h => 3_600_000, d => 86_400_000);
my %SIZE = ('' => 1, k => 1 << 10, m => 1 << 20, g => 1 << 30);

my ($document, @files) = @ARGV;
my $found = 0;

sub wrong { print "@_\n"; $found = 1 }

sub slurp {
    open my $fh, '<', $_[0] or die "$_[0]: $!\n";
    local $/;
    return scalar <$fh>;
}


# what the code says

my (%code, %init);

for my $file (@files) {
    my $text = slurp($file);

    while ($text =~ / \{ \s* ngx_string\("(\w+)"\), \s*
                      ( (?:NGX_\w+ \s* \|? \s*)+ ) ,
                      ( [^{}]* ) \} /gx)
    {
        my ($name, $flags, $rest) = ($1, $2, $3);
        my @contexts = grep { defined } map { $CONTEXT{$_} }
            $flags =~ /\w+/g;

        $code{$name}{contexts}{$_} = 1 for @contexts;

        if ($rest =~ /(ngx_conf_set_\w+_slot).*offsetof\(\w+,\s*([\w.]+)\)/s) {
            $code{$name}{slot} = $1;
            $code{$name}{field} = $2;
        }
    }

    while ($text =~ /ngx_conf_init_\w+\(\s*\w+->([\w.]+),\s*([\d\s*]+)\)/g) {
        my ($field, $value) = ($1, $2);
        my $product = 1;
        $product *= $_ for $value =~ /\d+/g;
        $init{$field} = $product;
    }
}

die "check-directives: no directive found\n" unless %code;


# what the document says

my (%doc, $name);

for (split /\n/, slurp($document)) {
    if (/^### (\w+)$/) {
        $name = $1;
        wrong("$document: $name stands there twice") if $doc{$name};
        $doc{$name} = {};

    } elsif (/^#/) {
        undef $name;

    } elsif (defined $name && /^(Syntax|Default|Context|Since):\s+(.*?)\s*$/) {
        $doc{$name}{$1} //= $2;
    }
}


# "5m" in milliseconds, or bytes, or as it is

sub number {
    my ($text, $slot) = @_;

    if ($slot =~ /msec/) {
        return $text =~ /^(\d+)(ms|[smhd])$/ ? $1 * $UNIT{$2} : undef;
    }

    return $text =~ /^(\d+)([kmg]?)$/i ? $1 * $SIZE{lc $2} : undef;
}


for my $n (sort keys %code) {
    my $d = $doc{$n};

    if (!$d) {
        wrong("$document: \"$n\" is missing");
        next;
    }

    for my $part (qw(Syntax Default Context Since)) {
        wrong("$document: \"$n\" has no $part") unless defined $d->{$part};
    }

    my $is = join ', ', sort keys %{ $code{$n}{contexts} };
    my $said = join ', ', sort split /\s*,\s*/, $d->{Context} // '';

    wrong("$document: \"$n\" is allowed in \"$is\", not in \"$said\"")
        if $is ne $said;

    my $field = $code{$n}{field};
    # 0 stands for what is found out at run time
    next unless defined $field && $init{$field};

    my ($value) = ($d->{Default} // '') =~ /^\Q$n\E\s+(.*);$/;
    my $v = defined $value ? number($value, $code{$n}{slot}) : undef;

    wrong("$document: the default of \"$n\" is $init{$field}, not \""
          . ($d->{Default} // '') . '"')
        unless defined $v && $v == $init{$field};
}

for my $n (sort keys %doc) {
    wrong("$document: \"$n\" is no directive") unless $code{$n};
}

exit $found;
