import SheafCommands

@main
enum Main {
  static func main() { Sheaf.runAndExit() }
}
