// THREAD: any - a value, or the reason why there is none
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <variant>

namespace continuo {

/// Kinds of error, as gRPC names them, so that one table maps them to a status and to an exit code
/// (base/exit_code.hpp).
enum class ErrorKind : std::uint8_t {
  invalid_argument,     // the request is wrong whatever the state: bad value, unknown field          exit 65
  failed_precondition,  // the request is wrong in this state                                         exit 65
  not_found,            // no such node, file, device                                                 exit 66
  already_exists,       // the id or the output is taken                                              exit 73
  unauthenticated,      // what should say who this client is says nothing                            exit 77
  permission_denied,    // outside the media roots, or not this client's to do                        exit 77
  aborted,              // somebody else's edit came between: read again, try again                   exit 75
  resource_exhausted,   // a limit of ours                                                            exit 75
  deadline_exceeded,    //                                                                            exit 75
  data_loss,            // I/O error or full disk                                                     exit 74
  unavailable,          // no server, no device                                                       exit 69
  unimplemented,        // a promise of the contract that this version does not keep yet              exit 69
  internal,             // a fault of ours                                                            exit 70
  configuration,        // the configuration file, flags or environment                               exit 78
};

/// What went wrong, for a person and for a program.
struct Error {
  ErrorKind kind = ErrorKind::internal;
  std::string reason;   // stable, UPPER_SNAKE: "UNKNOWN_NODE", "FILE_NOT_FOUND", ...
  std::string field;    // what it is about: "operations[3].set.values.gain_db", "song.wav", "device.rate"
  std::string message;  // one sentence, no full stop; names the thing and the remedy
};

/// `Result<T>` holds a T or an Error. Test it like a pointer. Taking the wrong one is a broken invariant (abort).
template <class T = std::monostate>
class [[nodiscard]] Result {
 public:
  Result()
    requires std::is_same_v<T, std::monostate>
      : held_(std::in_place_index<0>) {}
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit by design
  Result(Error error) : held_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by design

  [[nodiscard]] explicit operator bool() const noexcept { return held_.index() == 0; }
  [[nodiscard]] T& operator*() & { return get(); }
  [[nodiscard]] const T& operator*() const& { return const_cast<Result*>(this)->get(); }
  [[nodiscard]] T&& operator*() && { return std::move(get()); }
  [[nodiscard]] T* operator->() { return &get(); }
  [[nodiscard]] const T* operator->() const { return &const_cast<Result*>(this)->get(); }
  [[nodiscard]] const Error& error() const {
    if (held_.index() != 1) std::abort();
    return *std::get_if<1>(&held_);
  }

 private:
  T& get() {
    if (held_.index() != 0) std::abort();
    return *std::get_if<0>(&held_);
  }
  std::variant<T, Error> held_;
};

[[nodiscard]] inline Error make_error(ErrorKind kind, std::string reason, std::string field, std::string message) {
  return {kind, std::move(reason), std::move(field), std::move(message)};
}

}  // namespace continuo
