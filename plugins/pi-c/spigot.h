// The digits of π, one after the other, in whole numbers (Rabinowitz and Wagon, 1995).

#pragma once

#include "text.h"

// Writes π with `length` digits after the point; `told` hears how many there are from time to time.
void pi(Text *written, size_t length, void (*told)(size_t done, size_t length));
