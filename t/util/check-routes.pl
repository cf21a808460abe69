#!/usr/bin/perl

# Copyright (C) the mntreamer authors

# usage: check-routes.pl DOCUMENT FILE.c...
#
# The table of routes against docs/api.md, which names each as a heading such
# as "### GET /api/v1/streamers/{id}": the same methods and the same paths.

use strict;
use warnings;

my ($document, @files) = @ARGV;
my @METHODS = qw(GET POST PATCH DELETE);

sub slurp {
    open my $fh, '<', $_[0] or die "$_[0]: $!\n";
    local $/;
    return scalar <$fh>;
}


my (%code, %doc);

for my $file (@files) {
    my $text = slurp($file);

    while ($text =~ / \{ \s* ngx_string\("(v\d[^"]*)"\), \s*
                      (\w+), ([^{}]*) \} /gx)
    {
        my ($path, $kind, $rest) = ($1, $2, $3);
        my @handlers = $rest =~ /\w+/g;

        $path .= '{id}' if $kind =~ /_ID(?:_|$)/;
        $path .= '/' . lc $1 if $kind =~ /_ID_(\w+)$/;
        $path =~ s{/cut$}{/cuts/{cut}};
        $path .= '{path}' if $kind =~ /_REST$/;

        for my $i (0 .. $#METHODS) {
            next if ($handlers[$i] // 'NULL') eq 'NULL';
            $code{"$METHODS[$i] /api/$path"} = 1;
        }
    }
}

die "check-routes: no route found\n" unless %code;

my $text = slurp($document);

while ($text =~ /^#+ `?((?:GET|POST|PATCH|PUT|DELETE) \/api\/[^\s`]+)`?\s*$/mg)
{
    $doc{$1} = 1;
}

my $found = 0;

for my $route (sort keys %code) {
    next if $doc{$route};
    print "$document: \"$route\" is missing\n";
    $found = 1;
}

for my $route (sort keys %doc) {
    next if $code{$route};
    print "$document: \"$route\" is no route\n";
    $found = 1;
}

exit $found;
