// What this emulator needs of CMSSW's external hls4mlEmulatorExtras: the interface of a model. Compile against the
// header of that name there (make EMULATOR_INCLUDE=...); this one serves where it is not installed.
#ifndef HLS4ML_EMULATOR_H_
#define HLS4ML_EMULATOR_H_
#include <any>

namespace hls4mlEmulator {
class Model {
 public:
  virtual void prepare_input(std::any input) = 0;
  virtual void predict() = 0;
  virtual void read_result(std::any result) = 0;
  virtual ~Model() = default;
};
}  // namespace hls4mlEmulator
#endif
