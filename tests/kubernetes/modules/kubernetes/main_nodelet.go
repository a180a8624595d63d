//go:build nodelet

// The nodelet alone, to go with the released binaries of all the others.
package main

func main() { runNodelet() }
