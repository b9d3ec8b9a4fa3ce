// Two versions of one network and another network in one process, loaded as CMSSW loads them, all at once and in
// turn event by event, then in the opposite order, and each once more when the others are gone.
#include <dlfcn.h>

#include <cstdio>
#include <string>

#include "hls4ml/emulator.h"
#include "pair_v1/test/events.h"
#include "pair_v2/test/events.h"
#include "single_v1/test/events.h"

struct Loaded {
  void* library;
  hls4mlEmulator::Model* model;
  explicit Loaded(const std::string& name) : library(dlopen((name + ".so").c_str(), RTLD_LAZY | RTLD_LOCAL)) {
    if (!library) std::fprintf(stderr, "%s\n", dlerror());
    model = reinterpret_cast<hls4mlEmulator::Model* (*)()>(dlsym(library, "create_model"))();
  }
  ~Loaded() {
    reinterpret_cast<void (*)(hls4mlEmulator::Model*)>(dlsym(library, "destroy_model"))(model);
    dlclose(library);
  }
};

int predictions = 0, wrong = 0;

#define TRY(space, loaded, event)                                 \
  {                                                               \
    space::input_t input = space::test_input_t(event);            \
    space::result_t result;                                       \
    (loaded).model->prepare_input(&input);                        \
    (loaded).model->predict();                                    \
    (loaded).model->read_result(&result);                         \
    ++predictions, wrong += !space::is_expected(result, event);   \
  }

int main() {
  {
    Loaded one("pair_v1/pair_v1"), two("pair_v2/pair_v2"), other("single_v1/single_v1");
    for (int k = 0; k < pair_v1::TEST_EVENTS; ++k) {
      TRY(pair_v1, one, k) TRY(pair_v2, two, k) TRY(single_v1, other, k)
      TRY(single_v1, other, k) TRY(pair_v2, two, k) TRY(pair_v1, one, k)
    }
    pair_v1::input_t first = pair_v1::test_input_t(3);
    pair_v2::input_t second = pair_v2::test_input_t(5);
    one.model->prepare_input(&first);
    two.model->prepare_input(&second);
    one.model->predict();
    two.model->predict();
    pair_v2::result_t found_second;
    pair_v1::result_t found_first;
    two.model->read_result(&found_second);
    one.model->read_result(&found_first);
    predictions += 2;
    wrong += !pair_v1::is_expected(found_first, 3) + !pair_v2::is_expected(found_second, 5);
  }
  for (int k = 0; k < 2; ++k) {
    Loaded again("pair_v2/pair_v2");
    TRY(pair_v2, again, k)
  }
  std::printf("%d predictions, %d wrong\n", predictions, wrong);
  return wrong != 0;
}
