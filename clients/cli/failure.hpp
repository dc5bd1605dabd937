// THREAD: any - why a command failed, and the exit code that says so to a script
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace continuo::cli {

/// The exit codes of every command, in the sense of sysexits(3).
enum ExitCode : int {
  kOk = 0,
  kUsage = 64,         // the command line
  kBadData = 65,       // a value, a file's content, or the wrong moment for it
  kNoInput = 66,       // no such node, file or device
  kNoServer = 69,      // no daemon answers, or it cannot do this
  kFault = 70,         // a fault of ours
  kCannotCreate = 73,  // the output exists or cannot be made
  kIoError = 74,       // I/O error or full disk
  kTryAgain = 75,      // somebody else's edit, a limit, a deadline
  kRefused = 77,       // not allowed
};

/// Thrown by whatever a command does, caught once, in main: one line on stderr and the exit code.
struct Failure : std::exception {
  Failure(ExitCode code, std::string why, std::string what_about, std::string text)
      : exit_code(code), reason(std::move(why)), field(std::move(what_about)), message(std::move(text)) {}
  [[nodiscard]] const char* what() const noexcept override { return message.c_str(); }

  ExitCode exit_code;
  std::string reason;   // stable, UPPER_SNAKE; may be empty
  std::string field;    // what it is about; may be empty
  std::string message;  // names the thing and the remedy
};

/// "message (REASON, field f)", on one line whatever the parts hold.
[[nodiscard]] std::string one_line(const Failure& failure);

}  // namespace continuo::cli
