#include "../base/mnt_x.h"
