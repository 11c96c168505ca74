// SPDX-License-Identifier: Apache-2.0
// Where the program's memory comes from: large blocks begin on a cache line, and the largest lie in pages of
// 2 MB where the system has them. A sweep over a field then reads whole lines only, and a field is there
// after a few faults instead of thousands.
#include <malloc.h>
#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace {

constexpr std::size_t kLarge = std::size_t(1) << 16, kLine = 64, kHugePage = std::size_t(1) << 21;

/// The largest go back to the system as soon as they are free: kept, they would lie about between lines.
[[maybe_unused]] const int kept = mallopt(M_MMAP_THRESHOLD, int(kHugePage));

void* block(std::size_t size) {
  if (size < kLarge) return std::malloc(size > 0 ? size : 1);
  const std::size_t huge = size / kHugePage * kHugePage;
  void* p = nullptr;
  if (posix_memalign(&p, huge > 0 ? kHugePage : kLine, size) != 0) return nullptr;
  if (huge > 0) (void)madvise(p, huge, MADV_HUGEPAGE);  // without it pages are small
  return p;
}

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
  for (;;) {
    if (void* p = block(size)) return p;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
