package MNT::Harness;

# Copyright (C) the mntreamer authors

# prove's harness, which also appends "PASSED FAILED" to the file MNT_COUNTS
# names, so that the parts of the suite can be summed.  A program that broke
# its plan or died counts as a failure even when all its tests passed.

use strict;
use warnings;

use parent 'TAP::Harness';


sub summary {
    my ($self, $all) = @_;

    my $failed = $all->failed;

    for my $parser ($all->parsers) {
        $failed++ if $parser->has_problems && !$parser->failed;
    }

    if (my $file = $ENV{MNT_COUNTS}) {
        open my $fh, '>>', $file or die "$file: $!\n";
        print $fh scalar($all->passed), " $failed\n";
        close $fh or die "$file: $!\n";
    }

    return $self->SUPER::summary($all);
}


1;
